import Settings

/// Gathers problems, each once, so that all are reported together.
///
/// Keeps the first hundred problems of each file, and counts the places of the others.
struct ProblemCollector {
  /// Problems of one file that are told.
  static let most = 100

  private var found: [ConfigurationProblem] = []
  private var known: Set<ConfigurationProblem> = []
  private var counts: [String: Int] = [:]
  /// Places of problems that are not told.
  private var untold: [String: Set<Place>] = [:]

  var isEmpty: Bool { found.isEmpty }

  mutating func add(_ problem: ConfigurationProblem) {
    if let place = problem.place { return add(at: place, problem) }
    if known.insert(problem).inserted { found.append(problem) }
  }

  /// - Parameter problem: is made only if it is told.
  mutating func add(at place: Place, _ problem: @autoclosure () -> ConfigurationProblem) {
    guard counts[place.file, default: 0] < Self.most else {
      untold[place.file, default: []].insert(place)
      return
    }
    let problem = problem()
    guard known.insert(problem).inserted else { return }
    found.append(problem)
    counts[place.file, default: 0] += 1
  }

  /// The value, or nil after its problem was noted.
  mutating func collect<Value>(_ read: @autoclosure () throws(ConfigurationProblem) -> Value) -> Value? {
    do throws(ConfigurationProblem) {
      return try read()
    } catch {
      add(error)
      return nil
    }
  }

  /// The value, or nil after everything that is wrong with it was noted.
  mutating func collect<Value>(
    of setting: Setting, _ read: @autoclosure () throws(ValueProblems) -> Value
  ) -> Value? {
    do throws(ValueProblems) {
      return try read()
    } catch {
      for problem in error.problems { add(problem, of: setting) }
      return nil
    }
  }

  /// A problem with the value of a setting, or with a part of it.
  mutating func add(_ problem: ValueProblem, of setting: Setting) {
    add(at: setting.place(of: problem), setting.problem(problem))
  }

  /// By file in the order in which they were met, then by line and column; last how many more there are in the file.
  var sorted: [ConfigurationProblem] {
    var files: [String: Int] = [:]
    for problem in found where files[problem.file] == nil { files[problem.file] = files.count }
    func position(_ problem: ConfigurationProblem) -> (Int, Int, Int) {
      (files[problem.file] ?? 0, problem.place?.line ?? 0, problem.place?.column ?? 0)
    }
    let sorted = found.enumerated().sorted { left, right in
      let (first, second) = (position(left.element), position(right.element))
      return first == second ? left.offset < right.offset : first < second
    }.map(\.element)
    var told: [ConfigurationProblem] = []
    for (index, problem) in sorted.enumerated() {
      told.append(problem)
      let isLast = index + 1 == sorted.count || sorted[index + 1].file != problem.file
      guard isLast, let count = untoldCount(problem.file) else { continue }
      told.append(
        ConfigurationProblem(file: problem.file, message: "and \(count) more problem\(count == 1 ? "" : "s")"))
    }
    return told
  }

  /// Nil where all are told.
  private func untoldCount(_ file: String) -> Int? {
    guard let places = untold[file] else { return nil }
    let count = places.subtracting(found.compactMap(\.place)).count
    return count == 0 ? nil : count
  }
}

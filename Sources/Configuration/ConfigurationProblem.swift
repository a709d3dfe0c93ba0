import Settings

/// One thing that is wrong with the configuration, or worth a warning.
///
/// Its description is one line: `/etc/begat/begatd.toml:7:11: service.hello.backlog: expected …`.
public struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Nil when the whole file is meant.
  public let place: Place?
  /// The key with the tables around it.
  public let key: String?
  public let message: String

  /// A problem with a whole file.
  public init(file: String, message: String) {
    self.file = file
    self.message = message
    place = nil
    key = nil
  }

  public init(at place: Place, key: String? = nil, message: String) {
    file = place.file
    self.place = place
    self.key = key
    self.message = message
  }

  public var description: String {
    var text = place?.description ?? printable(file)
    if let key { text += ": \(key)" }
    return text + ": \(message)"
  }
}

/// Everything that is wrong with a configuration; never empty.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
  public let problems: [ConfigurationProblem]

  /// One line for each problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems, each once, so that all are reported together.
struct ProblemCollector {
  private var found: [ConfigurationProblem] = []
  private var known: Set<ConfigurationProblem> = []

  var isEmpty: Bool { found.isEmpty }

  mutating func add(_ problem: ConfigurationProblem) {
    if known.insert(problem).inserted { found.append(problem) }
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
      for problem in error.problems { add(setting.problem(problem)) }
      return nil
    }
  }

  /// By file in the order in which they were met, then by line and column.
  var sorted: [ConfigurationProblem] {
    var files: [String: Int] = [:]
    for problem in found where files[problem.file] == nil { files[problem.file] = files.count }
    func position(_ problem: ConfigurationProblem) -> (Int, Int, Int) {
      (files[problem.file] ?? 0, problem.place?.line ?? 0, problem.place?.column ?? 0)
    }
    return found.enumerated().sorted { left, right in
      let (first, second) = (position(left.element), position(right.element))
      return first == second ? left.offset < right.offset : first < second
    }.map(\.element)
  }
}

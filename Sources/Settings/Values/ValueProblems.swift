/// A problem with one value, or with one part of it.
public struct ValueProblem: Error, Hashable, Sendable {
  /// The part of a list or table that is meant.
  public enum Step: Hashable, Sendable {
    case element(Int)
    case member(String)
  }

  /// The way from the key's value to the part; empty for the whole value.
  public private(set) var path: [Step] = []
  public let message: String

  public init(_ message: String) { self.message = message }

  /// The problem as one of the value around it.
  public func within(_ step: Step) -> ValueProblem {
    var problem = self
    problem.path.insert(step, at: 0)
    return problem
  }
}

/// Everything that is wrong with a value; never empty.
public struct ValueProblems: Error, Hashable, Sendable {
  public let problems: [ValueProblem]

  public init(_ problems: [ValueProblem]) { self.problems = problems }
  public init(_ message: String) { problems = [ValueProblem(message)] }
}

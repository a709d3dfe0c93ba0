/// Why a request was not carried out.
public struct ControlFailure: Error, Hashable, Sendable {
  /// One line: what failed, why, and what to do.
  public var message: String
  /// Further lines, such as the problems of a configuration.
  public var problems: [String]
  /// The exit status of the command that asked, as in sysexits(3).
  public var exitStatus: Int32

  public init(_ message: String, problems: [String] = [], exitStatus: Int32 = ControlFailure.failed) {
    self.message = message
    self.problems = problems
    self.exitStatus = exitStatus
  }

  /// The request was understood and could not be carried out.
  public static let failed: Int32 = 1
  /// `EX_USAGE`: the request makes no sense.
  public static let usage: Int32 = 64
  /// `EX_CONFIG`: the configuration does not check or cannot be bound.
  public static let configuration: Int32 = 78
}

extension ControlFailure: CustomStringConvertible {
  public var description: String { message }
}

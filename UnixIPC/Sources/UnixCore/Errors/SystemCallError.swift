/// A system call that failed: which call, on what, and why.
///
/// Its description is the log line: `bind 127.0.0.1:80: Permission denied`.
public struct SystemCallError: Error, Hashable, Sendable {
  /// The call as its manual page names it.
  public let call: String
  /// What it was tried on, a path or an address, where there is one.
  public let object: String?
  public let code: ErrorCode

  public init(_ call: String, on object: String? = nil, code: ErrorCode) {
    self.call = call
    self.object = object
    self.code = code
  }
}

extension SystemCallError: CustomStringConvertible {
  /// One line, fit for a terminal: an object with control characters is escaped.
  public var description: String {
    guard let object else { return "\(call): \(code)" }
    let isPlain = object.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    return "\(call) \(isPlain ? object : escaped(object.utf8, doublingBackslashes: false)): \(code)"
  }
}

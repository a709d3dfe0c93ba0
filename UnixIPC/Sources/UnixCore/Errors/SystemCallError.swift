/// A system call that failed: the call, its object and the reason.
///
/// Its description is a line for a log: `bind 127.0.0.1:80: Permission denied`.
public struct SystemCallError: Error, Hashable, Sendable {
  /// The call as its manual page names it, such as `bind`.
  public let call: String
  /// The reason.
  public let code: ErrorCode
  private let subject: Subject

  /// A number becomes text only when it is shown: many errors on the way of a connection are only looked at.
  private enum Subject: Sendable {
    case none
    case descriptor(CInt)
    case text(String)
  }

  /// Creates an error.
  ///
  /// - Parameter call: the call as its manual page names it.
  /// - Parameter object: a path, an address or another name of the call's object; nil for a call that has none.
  /// - Parameter code: the reason.
  public init(_ call: String, on object: String? = nil, code: ErrorCode) {
    self.call = call
    self.code = code
    subject = object.map { .text($0) } ?? .none
  }

  /// Creates an error of a call on an open descriptor.
  ///
  /// - Parameter number: is shown as `descriptor 7`.
  package init(_ call: String, onDescriptor number: CInt, code: ErrorCode) {
    self.call = call
    self.code = code
    subject = .descriptor(number)
  }

  /// The call's object, a path, an address or `descriptor 7`; nil for a call that has none.
  public var object: String? {
    switch subject {
    case .none: nil
    case .descriptor(let number): "descriptor \(number)"
    case .text(let text): text
    }
  }
}

extension SystemCallError {
  /// Whether two errors have the same call, code and object, however the object was named.
  public static func == (one: SystemCallError, other: SystemCallError) -> Bool {
    one.code == other.code && one.call == other.call && one.object == other.object
  }

  /// Feeds the call, the code and the object into the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(call)
    hasher.combine(code)
    hasher.combine(object)
  }
}

extension Descriptor {
  /// The failure of a call on this descriptor.
  package func failure(_ call: String, _ code: ErrorCode) -> SystemCallError {
    SystemCallError(call, onDescriptor: number, code: code)
  }
}

extension SystemCallError: CustomStringConvertible {
  /// One line, fit for a terminal: an object with control characters is escaped.
  public var description: String {
    guard let object else { return "\(call): \(code)" }
    return "\(call) \(object.isPlain ? object : escaped(object.utf8, doublingBackslashes: false)): \(code)"
  }
}

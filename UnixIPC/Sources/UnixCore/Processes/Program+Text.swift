import CPlatform
import Glibc

/// Arguments and variables as text, which they mostly are.
///
/// Bytes that are no UTF-8 are shown as U+FFFD, and become that where such a text is written back: whoever passes on
/// what others wrote takes the bytes.
extension Program {
  /// `argumentBytes` as text.
  public var arguments: [String] {
    get { argumentBytes.map { String(decoding: $0, as: UTF8.self) } }
    set { argumentBytes = newValue.map { Array($0.utf8) } }
  }

  /// `environmentBytes` as text.
  public var environment: [String] {
    get { environmentBytes.map { String(decoding: $0, as: UTF8.self) } }
    set { environmentBytes = newValue.map { Array($0.utf8) } }
  }

  /// `callersEnvironmentBytes` as text.
  public static var callersEnvironment: [String] {
    callersEnvironmentBytes.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The caller's own variables, for programs that shall have them.
  ///
  /// Source: environ(7).
  public static var callersEnvironmentBytes: [[UInt8]] {
    var variables: [[UInt8]] = []
    // None after clearenv(3).
    guard var entry = platform_environment() else { return [] }
    while let variable = entry.pointee {
      variables.append(Array(UnsafeRawBufferPointer(start: variable, count: strlen(variable))))
      entry += 1
    }
    return variables
  }
}

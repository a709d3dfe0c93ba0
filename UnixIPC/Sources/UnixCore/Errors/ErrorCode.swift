import CPlatform
import Glibc

/// An error number of the kernel, with its name and its text.
///
/// Source: errno(3).
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: CInt

  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// The value that the last failed call of this thread left behind.  Read it at once: any call may replace it.
  package static var current: ErrorCode { ErrorCode(rawValue: Glibc.errno) }

  public static let addressInUse = ErrorCode.addressInUse
  public static let addressNotAvailable = ErrorCode.addressNotAvailable
  public static let addressFamilyNotSupported = ErrorCode.addressFamilyNotSupported
  public static let brokenPipe = ErrorCode.brokenPipe
  public static let canceled = ErrorCode.canceled
  public static let connectionRefused = ErrorCode.connectionRefused
  public static let connectionReset = ErrorCode.connectionReset
  /// Of a fork in a process with threads: the copy could wait for ever for a lock that another thread had.
  public static let deadlock = ErrorCode.deadlock
  public static let exists = ErrorCode.fileExists
  public static let inProgress = ErrorCode.nowInProgress
  public static let interrupted = ErrorCode.interrupted
  public static let invalidArgument = ErrorCode.invalidArgument
  public static let messageTooLong = ErrorCode.messageTooLong
  public static let nameTooLong = ErrorCode.fileNameTooLong
  public static let noBufferSpace = ErrorCode.noBufferSpace
  public static let noChild = ErrorCode.noChildProcess
  public static let noMemory = ErrorCode.noMemory
  public static let noSuchFile = ErrorCode.noSuchFileOrDirectory
  public static let noSuchProcess = ErrorCode.noSuchProcess
  public static let notPermitted = ErrorCode.notPermitted
  public static let permissionDenied = ErrorCode.permissionDenied
  public static let timerExpired = ErrorCode.timerExpired
  public static let timedOut = ErrorCode.timedOut
  public static let tooManyOpenFiles = ErrorCode.tooManyOpenFiles
  public static let wouldBlock = ErrorCode.wouldBlock
}

extension ErrorCode: CustomStringConvertible {
  /// The kernel's words: "Address already in use".
  public var description: String {
    guard let text = platform_error_text(rawValue) else { return "error \(rawValue)" }
    return String(cString: text)
  }

  /// The constant's name: "EADDRINUSE".
  public var name: String {
    guard let name = platform_error_name(rawValue) else { return String(rawValue) }
    return String(cString: name)
  }
}

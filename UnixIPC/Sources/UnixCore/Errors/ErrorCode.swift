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

  public static let addressInUse = ErrorCode(rawValue: EADDRINUSE)
  public static let addressNotAvailable = ErrorCode(rawValue: EADDRNOTAVAIL)
  public static let addressFamilyNotSupported = ErrorCode(rawValue: EAFNOSUPPORT)
  public static let brokenPipe = ErrorCode(rawValue: EPIPE)
  public static let canceled = ErrorCode(rawValue: ECANCELED)
  public static let connectionRefused = ErrorCode(rawValue: ECONNREFUSED)
  public static let connectionReset = ErrorCode(rawValue: ECONNRESET)
  /// Of a fork in a process with threads: the copy could wait for ever for a lock that another thread had.
  public static let deadlock = ErrorCode(rawValue: EDEADLK)
  public static let exists = ErrorCode(rawValue: EEXIST)
  public static let inProgress = ErrorCode(rawValue: EINPROGRESS)
  public static let interrupted = ErrorCode(rawValue: EINTR)
  public static let invalidArgument = ErrorCode(rawValue: EINVAL)
  public static let messageTooLong = ErrorCode(rawValue: EMSGSIZE)
  public static let nameTooLong = ErrorCode(rawValue: ENAMETOOLONG)
  public static let noBufferSpace = ErrorCode(rawValue: ENOBUFS)
  public static let noChild = ErrorCode(rawValue: ECHILD)
  public static let noMemory = ErrorCode(rawValue: ENOMEM)
  public static let noSuchFile = ErrorCode(rawValue: ENOENT)
  public static let noSuchProcess = ErrorCode(rawValue: ESRCH)
  public static let notPermitted = ErrorCode(rawValue: EPERM)
  public static let permissionDenied = ErrorCode(rawValue: EACCES)
  public static let timerExpired = ErrorCode(rawValue: ETIME)
  public static let timedOut = ErrorCode(rawValue: ETIMEDOUT)
  public static let tooManyOpenFiles = ErrorCode(rawValue: EMFILE)
  public static let wouldBlock = ErrorCode(rawValue: EAGAIN)
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

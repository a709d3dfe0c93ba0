import CPlatform
import Glibc

/// An error number of the kernel, with its name and its text.
///
/// Source: errno(3).
public struct Errno: RawRepresentable, Error, Hashable, Sendable {
  public let rawValue: CInt

  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// The value that the last failed call of this thread left behind.  Read it at once: any call may replace it.
  static var current: Errno { Errno(rawValue: Glibc.errno) }

  public static let addressInUse = Errno(rawValue: EADDRINUSE)
  public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
  public static let addressFamilyNotSupported = Errno(rawValue: EAFNOSUPPORT)
  public static let brokenPipe = Errno(rawValue: EPIPE)
  public static let canceled = Errno(rawValue: ECANCELED)
  public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
  public static let connectionReset = Errno(rawValue: ECONNRESET)
  /// Of a fork in a process with threads: the copy could wait for ever for a lock that another thread had.
  public static let deadlock = Errno(rawValue: EDEADLK)
  public static let exists = Errno(rawValue: EEXIST)
  public static let inProgress = Errno(rawValue: EINPROGRESS)
  public static let interrupted = Errno(rawValue: EINTR)
  public static let invalidArgument = Errno(rawValue: EINVAL)
  public static let messageTooLong = Errno(rawValue: EMSGSIZE)
  public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
  public static let noBufferSpace = Errno(rawValue: ENOBUFS)
  public static let noChild = Errno(rawValue: ECHILD)
  public static let noMemory = Errno(rawValue: ENOMEM)
  public static let noSuchFile = Errno(rawValue: ENOENT)
  public static let noSuchProcess = Errno(rawValue: ESRCH)
  public static let notPermitted = Errno(rawValue: EPERM)
  public static let permissionDenied = Errno(rawValue: EACCES)
  public static let timerExpired = Errno(rawValue: ETIME)
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  public static let tooManyOpenFiles = Errno(rawValue: EMFILE)
  public static let wouldBlock = Errno(rawValue: EAGAIN)
}

extension Errno: CustomStringConvertible {
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

import CPlatform
import Glibc

/// A signal by number.
///
/// Source: signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
  public let rawValue: CInt

  /// Any number, also one that is no signal: calls with it fail with `EINVAL`.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// SIGABRT: abort(3).
  public static let abort = Signal(rawValue: SIGABRT)
  public static let alarm = Signal(rawValue: SIGALRM)
  /// SIGTTIN: read from the terminal in the background.
  public static let backgroundRead = Signal(rawValue: SIGTTIN)
  /// SIGTTOU: wrote to the terminal in the background.
  public static let backgroundWrite = Signal(rawValue: SIGTTOU)
  /// SIGSYS: a system call that there is not, or that seccomp(2) forbids.
  public static let badCall = Signal(rawValue: SIGSYS)
  public static let brokenPipe = Signal(rawValue: SIGPIPE)
  /// SIGBUS: memory without anything behind it, such as a mapping past the end of its file.
  public static let busError = Signal(rawValue: SIGBUS)
  public static let child = Signal(rawValue: SIGCHLD)
  /// SIGXFSZ
  public static let fileSizeLimit = Signal(rawValue: SIGXFSZ)
  /// SIGFPE: of whole numbers too.
  public static let floatingPointError = Signal(rawValue: SIGFPE)
  public static let hangUp = Signal(rawValue: SIGHUP)
  /// SIGILL
  public static let illegalInstruction = Signal(rawValue: SIGILL)
  /// SIGIO, SIGPOLL: a descriptor is ready.
  public static let inputOutput = Signal(rawValue: SIGIO)
  public static let interrupt = Signal(rawValue: SIGINT)
  public static let kill = Signal(rawValue: SIGKILL)
  /// SIGXCPU
  public static let processorTimeLimit = Signal(rawValue: SIGXCPU)
  public static let quit = Signal(rawValue: SIGQUIT)
  /// SIGCONT: a stopped process goes on.
  public static let resume = Signal(rawValue: SIGCONT)
  /// SIGSEGV
  public static let segmentationFault = Signal(rawValue: SIGSEGV)
  /// SIGSTOP: cannot be refused.
  public static let stop = Signal(rawValue: SIGSTOP)
  public static let terminate = Signal(rawValue: SIGTERM)
  /// SIGTSTP: a terminal's request to stop.
  public static let terminalStop = Signal(rawValue: SIGTSTP)
  /// SIGTRAP: of a debugger.
  public static let trap = Signal(rawValue: SIGTRAP)
  /// SIGURG: out-of-band data.
  public static let urgentData = Signal(rawValue: SIGURG)
  public static let user1 = Signal(rawValue: SIGUSR1)
  public static let user2 = Signal(rawValue: SIGUSR2)
  /// SIGWINCH: the terminal's window has another size.
  public static let windowChange = Signal(rawValue: SIGWINCH)

  /// The `offset`th real-time signal that the C library leaves to programs; `SIGRTMIN+offset`.
  public static func realTime(_ offset: CInt) -> Signal { Signal(rawValue: firstRealTime &+ offset) }

  /// Every signal that a program may use on this machine, in the order of their numbers.
  ///
  /// The C library keeps those between the standard and the real-time ones (32 and 33) for itself: they are not among
  /// these.
  public static var all: [Signal] {
    (Array(1...31) + Array(firstRealTime...lastRealTime)).map { Signal(rawValue: $0) }
  }

  /// Whether there is a signal of this number, the C library's own included.
  public var exists: Bool { (1...Signal.last).contains(rawValue) }

  /// Whether it is queued once for each time that it is sent, with a value.
  ///
  /// A standard signal that is pending already stands for all that are sent until it is taken.
  public var isRealTime: Bool { (Signal.firstRealTime...Signal.lastRealTime).contains(rawValue) }

  /// `SIGRTMIN` and `SIGRTMAX`: what the C library leaves of the kernel's.
  static var firstRealTime: CInt { platform_sigrtmin() }
  static var lastRealTime: CInt { platform_sigrtmax() }
  /// The kernel's last one.
  private static var last: CInt { 64 }
}

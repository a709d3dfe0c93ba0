import CPlatform
import Glibc

/// A signal by number.
///
/// Source: signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
  /// The kernel's number of the signal.
  public let rawValue: CInt

  /// Creates a value for any number, also for one that is no signal: calls with it then fail with `EINVAL`.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// SIGABRT: sent by abort(3).
  public static let abort = Signal(rawValue: SIGABRT)
  /// SIGALRM: the timer of alarm(2) and setitimer(2) expired.
  public static let alarm = Signal(rawValue: SIGALRM)
  /// SIGTTIN: a background process read from its terminal.
  public static let backgroundRead = Signal(rawValue: SIGTTIN)
  /// SIGTTOU: a background process wrote to its terminal, or changed its settings.
  public static let backgroundWrite = Signal(rawValue: SIGTTOU)
  /// SIGSYS: a system call that does not exist, or that a filter of seccomp(2) forbids.
  public static let badSystemCall = Signal(rawValue: SIGSYS)
  /// SIGPIPE: written to a pipe or socket whose reader is gone.
  public static let brokenPipe = Signal(rawValue: SIGPIPE)
  /// SIGBUS: access to memory with nothing behind it, such as a mapping past the end of its file.
  public static let busError = Signal(rawValue: SIGBUS)
  /// SIGCHLD: a child ended, stopped or continued.
  public static let child = Signal(rawValue: SIGCHLD)
  /// SIGCONT: continues a stopped process.
  public static let `continue` = Signal(rawValue: SIGCONT)
  /// SIGXFSZ: a file grew beyond `ResourceLimit.fileSize`.
  public static let fileSizeLimit = Signal(rawValue: SIGXFSZ)
  /// SIGFPE: an arithmetic error, of integers too.
  public static let floatingPointError = Signal(rawValue: SIGFPE)
  /// SIGHUP: the terminal hung up; by convention, a request to a daemon to read its settings again.
  public static let hangUp = Signal(rawValue: SIGHUP)
  /// SIGILL: an instruction that the processor does not know.
  public static let illegalInstruction = Signal(rawValue: SIGILL)
  /// SIGINT: interrupted from the terminal, usually by Ctrl-C.
  public static let interrupt = Signal(rawValue: SIGINT)
  /// SIGIO, SIGPOLL: input or output became possible on a descriptor with `O_ASYNC`.
  public static let ioReady = Signal(rawValue: SIGIO)
  /// SIGKILL: ends a process; it cannot be blocked, ignored or handled.
  public static let kill = Signal(rawValue: SIGKILL)
  /// SIGXCPU: the process used more processor time than `ResourceLimit.processorTime`.
  public static let processorTimeLimit = Signal(rawValue: SIGXCPU)
  /// SIGQUIT: quit from the terminal, usually by Ctrl and the backslash.
  public static let quit = Signal(rawValue: SIGQUIT)
  /// SIGSEGV: access to memory that is not mapped, or not in this way.
  public static let segmentationFault = Signal(rawValue: SIGSEGV)
  /// SIGSTOP: stops a process; it cannot be blocked, ignored or handled.
  public static let stop = Signal(rawValue: SIGSTOP)
  /// SIGTERM: the request to end.
  public static let terminate = Signal(rawValue: SIGTERM)
  /// SIGTSTP: stopped from the terminal, usually by Ctrl-Z.
  public static let terminalStop = Signal(rawValue: SIGTSTP)
  /// SIGTRAP: a breakpoint of a debugger.
  public static let trap = Signal(rawValue: SIGTRAP)
  /// SIGURG: urgent data arrived at a socket.
  public static let urgentData = Signal(rawValue: SIGURG)
  /// SIGUSR1: for the program's own use.
  public static let user1 = Signal(rawValue: SIGUSR1)
  /// SIGUSR2: for the program's own use.
  public static let user2 = Signal(rawValue: SIGUSR2)
  /// SIGWINCH: the terminal's window changed its size.
  public static let windowChange = Signal(rawValue: SIGWINCH)

  /// The real-time signal `SIGRTMIN+offset`.
  ///
  /// - Parameter offset: from 0 up to the last one before `SIGRTMAX`, which this library keeps for `withDeadline`.
  /// - Returns: nil for any other offset.
  public static func realTime(_ offset: Int) -> Signal? {
    guard offset >= 0, offset < Int(lastRealTime - firstRealTime) else { return nil }
    return Signal(rawValue: firstRealTime + CInt(offset))
  }

  /// Every signal that a program may use, in the order of their numbers.
  ///
  /// Those that the C library keeps for itself (32 and 33) and `SIGRTMAX`, which this library keeps for `withDeadline`, are
  /// not among them.
  public static var all: [Signal] {
    (Array(1...31) + Array(firstRealTime..<lastRealTime)).map { Signal(rawValue: $0) }
  }

  /// Whether there is a signal of this number, one that a library keeps for itself included.
  public var exists: Bool { (1...Signal.last).contains(rawValue) }

  /// Whether the signal is queued once for each time that it is sent, with a value.
  ///
  /// A standard signal that is already pending stands for all that are sent until it is taken.
  public var isRealTime: Bool { (Signal.firstRealTime...Signal.lastRealTime).contains(rawValue) }

  /// Whether it is the signal by which `withDeadline` interrupts calls: blocked or ignored, it could not.
  var interruptsCalls: Bool { rawValue == Signal.lastRealTime }

  /// `SIGRTMIN` and `SIGRTMAX`: the part of the kernel's real-time signals that the C library leaves to programs.
  static var firstRealTime: CInt { platform_sigrtmin() }
  static var lastRealTime: CInt { platform_sigrtmax() }
  /// The kernel's last one.
  private static var last: CInt { 64 }
}

/// How a service executes its program, or the commands of the command server.
public struct ProgramSettings: Hashable, Sendable {
  /// Variables beside those that every program gets.
  public var environment: [EnvironmentVariable] = []
  public var workingDirectory = "/"
  /// Permissions that files made by the program do not get.
  public var umask: UInt32 = 0o022
  /// Added to the listener's own; negative values need root.
  public var nice: CInt = 0
  /// Bytes of address space.
  public var limitMemory: UInt64?
  /// Bytes of the largest file.
  public var limitFileSize: UInt64?
  /// Seconds of processor time.
  public var limitCPU: UInt64?
  public var limitOpenFiles: UInt64?
  /// Processes of the user, on the whole machine.
  public var limitProcesses: UInt64?
  /// Whether they get the variables that login(1) sets for the service's user.
  public var loginEnvironment = false
  /// Absolute paths of what may be read and executed, with all that is below; if there is none of either kind, the files'
  /// permissions alone decide.
  public var readOnlyPaths: [String] = []
  /// Absolute paths of what may be changed as well.
  public var readWritePaths: [String] = []
  public var network = NetworkAccess.any
  /// Whether executing a set-user-ID program has its effect.
  public var allowSetUserID = false

  /// Whether only some files are in reach.
  public var restrictsFiles: Bool { !readOnlyPaths.isEmpty || !readWritePaths.isEmpty }

  public init() {}

  /// Paths that every restricted program can reach: its loader's files, and /proc, whose files have permissions of
  /// their own (a program's own part of it has another path for each process).
  public static let alwaysReadable = [
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload", "/proc",
  ]

  /// Where programs are looked for by those who inherit no `PATH`.
  public static let searchPath = "/usr/local/bin:/usr/bin:/bin"
}

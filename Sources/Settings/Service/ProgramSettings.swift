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

  public init() {}

  /// Where programs are looked for by those who inherit no `PATH`.
  public static let searchPath = "/usr/local/bin:/usr/bin:/bin"
}

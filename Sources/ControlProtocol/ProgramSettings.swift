import UnixIPC

/// The program that a service executes for each connection, or that a command of the command server runs.
public struct ProgramSettings: Hashable, Sendable {
  /// The absolute path and further arguments, as they are handed over: no shell looks at them.  Empty for a built-in.
  public var words: [String] = []
  /// `NAME=value` each, beside those that every program gets.
  public var environment: [String] = []
  public var workingDirectory = "/"
  /// Permissions that files made by the program do not get.
  public var umask: UInt32 = 0o022
  /// Added to the listener's own; negative ones need root.
  public var nice: CInt = 0
  /// Bytes of address space.
  public var limitMemory: UInt64?
  /// Seconds of a processor.
  public var limitCPU: UInt64?
  public var limitOpenFiles: UInt64?
  /// Of the user, on the whole machine.
  public var limitProcesses: UInt64?

  public init() {}
}

/// A command that an administrator added to the command server.
public struct AddedCommand: Hashable, Sendable {
  /// Lower case; what clients type.
  public var name: String
  /// The absolute path and further arguments.
  public var words: [String]

  public init(name: String, words: [String]) {
    self.name = name
    self.words = words
  }

  /// 1 to 32 lower-case letters, digits, `-` and `_`, none of the built-in ones.
  public static func isName(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy { isServiceNameByte($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
      && !builtIn.contains(text)
  }

  /// The words that the command server knows by itself.
  public static let builtIn: Set = ["quit", "exit", "date", "time", "who", "cookie", "motd", "help"]
}

/// A variable of a program's environment, as `NAME=value`.
public enum EnvironmentVariable {
  /// Letters, digits and `_`, no digit first.
  public static func isName(_ text: some StringProtocol) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      } && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text.utf8.first!)
  }

  /// Whether begat itself sets variables of this name, which then say who the client is.
  public static func isReserved(_ name: some StringProtocol) -> Bool {
    name == "PROTO" || ["TCP", "IPC", "REMOTE_", "LISTEN_"].contains { name.hasPrefix($0) }
  }
}

import Glibc
@_spi(Begat) import UnixCore

/// A program of begat's that is held open: the same file is executed as long as begatd runs, also after its name was given
/// to another file, or removed.
final class HeldProgram: Sendable {
  /// The name that the file had when it was opened.
  let path: String
  private let file: Descriptor

  /// Opens a program's file.
  ///
  /// - Parameter path: the name of the file.
  /// - Parameter link: leads to the file too; nil for the path itself.
  private init(path: String, through link: String? = nil) throws(SystemCallError) {
    self.path = path
    file = try Descriptor.open(link ?? path, .path)
  }

  /// The program that this process executes.
  ///
  /// Source: proc_pid_exe(5).
  static func own() throws(SystemCallError) -> HeldProgram {
    try HeldProgram(path: ownPath ?? "/usr/sbin/begatd", through: "/proc/self/exe")
  }

  /// The listener's program, in the same directory.
  func listener() throws(SystemCallError) -> HeldProgram {
    let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? "/usr/sbin"
    let listener = "\(directory)/begat-listener"
    guard access(listener, X_OK) == 0 else {
      throw SystemCallError("execve", on: listener, code: ErrorCode(rawValue: errno))
    }
    return try HeldProgram(path: listener)
  }

  /// The name of the file that this process executes; nil where it cannot be found out.
  static var ownPath: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { room in
      let count = readlink("/proc/self/exe", room.baseAddress!, room.count)
      guard count > 0, count < room.count else { return nil }
      return String(decoding: UnsafeRawBufferPointer(room)[..<count], as: UTF8.self)
    }
  }

  /// Gives this process the name of begatd, however it was executed.
  static func takeName() { ProcessControl.takeName("begatd") }

  /// The program with arguments, as begatd starts its own programs: in a session of its own, with a built environment.
  ///
  /// - Parameter title: the name under which it runs.
  func program(_ arguments: [String], title: String) -> Program {
    var program = Program(path: path, arguments: arguments, environment: ProgramEnvironment.build(), directory: "/")
    program.argumentZero = title
    program.leadsSession = true
    // By its path where that still leads to it: the kernel names the process after the file.
    if !isAtPath { program.fileNumber = file.number }
    return program
  }

  private var isAtPath: Bool {
    var held = stat()
    var present = stat()
    return fstat(file.number, &held) == 0 && stat(path, &present) == 0 && held.st_dev == present.st_dev
      && held.st_ino == present.st_ino
  }
}

/// The programs that begatd starts.
struct OwnPrograms {
  /// begatd itself, which also looks up names and writes log files.
  let begatd: HeldProgram
  let listener: HeldProgram

  /// Opens them.
  init() throws(SystemCallError) {
    begatd = try .own()
    listener = try begatd.listener()
  }
}

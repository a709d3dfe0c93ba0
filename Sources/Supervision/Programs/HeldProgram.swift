import Confinement
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
  private init(path: String, through link: String?) throws(SystemCallError) {
    self.path = path
    file = try Descriptor.open(link ?? path, .path)
  }

  /// Opens the program at a path.
  convenience init(at path: String) throws(SystemCallError) { try self.init(path: path, through: nil) }

  /// A program that is open already, whatever its path leads to by now.
  init(_ file: consuming Descriptor, path: String) {
    self.path = path
    self.file = file
  }

  /// The descriptor of its file.
  var number: CInt { file.number }

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
    return try HeldProgram(at: listener)
  }

  /// The name of the file that this process executes; nil where it cannot be found out.
  static var ownPath: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { room in
      let count = readlink("/proc/self/exe", room.baseAddress!, room.count)
      guard count > 0, count < room.count else { return nil }
      return String(decoding: UnsafeRawBufferPointer(room)[..<count], as: UTF8.self)
    }
  }

  /// The path by which this process executed its program, if that leads to it: where a link leads to another version
  /// later, that version is meant.
  ///
  /// Source: getauxval(3), AT_EXECFN.
  var startPath: String {
    guard let executed = ProcessControl.executedFile else { return path }
    let absolute = executed.absolutePath
    return absolute.hasPrefix("/") && isAt(absolute) ? absolute : path
  }

  /// Makes this process the program, with its variables, its blocked signals and the descriptors that stay open.
  ///
  /// By its path where that leads to it: a script cannot be executed through a descriptor that is closed then.
  func become(_ arguments: [String]) throws(SystemCallError) -> Never {
    try ProcessControl.becomeProgram(
      at: UnixPath(path), file: isAt(path) ? nil : number, arguments: arguments.map { Array($0.utf8) },
      argumentZero: CommandLine.arguments.first.map { Array($0.utf8) })
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
    if !isAt(path) { program.fileNumber = number }
    return program
  }

  /// Why another user could have put another program into its place; nil if none could, or begatd has nothing to give.
  ///
  /// A begatd that is root, or may become root, executes it with those rights.
  var danger: String? {
    get throws(SystemCallError) {
      guard geteuid() == 0 || Capabilities.effective.contains(.becomeOthers) else { return nil }
      if let directory = try UnsafeDirectory.find(on: UnixPath(path).parent) { return "\(directory)" }
      var held = stat()
      guard fstat(file.number, &held) == 0 else {
        throw SystemCallError("fstat", on: path, code: ErrorCode(rawValue: errno))
      }
      let isForeign = held.st_uid != 0 && held.st_uid != geteuid()
      guard isForeign || held.st_mode & (S_IWGRP | S_IWOTH) != 0 else { return nil }
      return "\(escaped(path.utf8)): other users may write it; use chown root and chmod go-w"
    }
  }

  private func isAt(_ path: String) -> Bool {
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

  /// Takes programs that are already open.
  init(begatd: HeldProgram, listener: HeldProgram) {
    self.begatd = begatd
    self.listener = listener
  }
}

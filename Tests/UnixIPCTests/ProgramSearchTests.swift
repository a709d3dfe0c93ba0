import Glibc
import TestSupport
import Testing
import UnixIPC

@Suite struct ProgramSearchTests {
  @Test("finds programs where it is told to, and takes a path as it is")
  func findsPrograms() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "true")
    chmod(directory["true"], 0o755)
    #expect(try Program.find("true", in: "\(directory.path):/bin") == directory["true"])
    #expect(try Program.find("true", in: "/nowhere:/bin:\(directory.path)") == "/bin/true")
    #expect(try Program.find("./x/y", in: "/bin") == "./x/y")
    #expect(try Program.find("env").hasPrefix("/usr/bin/"))
  }

  @Test("passes over directories, relative places and what may not be executed")
  func passesOver() throws {
    let directory = try TemporaryDirectory()
    try directory.makeDirectory("folder")
    try directory.write([], to: "plain")
    chmod(directory["plain"], 0o644)
    for (name, reason) in [("folder", Errno.noSuchFile), ("plain", .permissionDenied), ("", .noSuchFile)] {
      let error = failure { () throws(CallFailure) in try Program.find(name, in: directory.path) }
      #expect(error?.errno == reason, "\(name)")
    }
    // From the root directory, "bin/.." and "" would find it.
    let relative = failure { () throws(CallFailure) in try Program.find("true", in: ":.:bin:../bin") }
    #expect(relative?.errno == .noSuchFile)
  }
}

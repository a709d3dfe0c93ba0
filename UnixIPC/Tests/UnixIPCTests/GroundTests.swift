import Glibc
import Testing
import UnixIPC
import UnixIPCTestSupport

/// What a program that links UnixCore alone gets.
@Suite(.timeLimit(.minutes(30))) struct GroundTests {
  @Test(
    "has no regex: no object of UnixCore refers to one, and some of UnixIPC do",
    .enabled(if: access("/usr/bin/nm", X_OK) == 0, "needs nm"))
  func hasNoRegex() throws {
    #expect(try references(of: "UnixCore", to: "_StringProcessing") == false)
    #expect(try references(of: "UnixIPC", to: "_StringProcessing") == true)
  }

  /// Whether objects of the module refer to symbols of another one, by their mangled names.
  private func references(of module: String, to other: String) throws -> Bool {
    let candidates: [String] = ProbeProgram.buildDirectories().map { "\($0)/\(module).build" }
    let found = candidates.first { access($0, R_OK) == 0 }
    let build = try #require(found, "the objects of this build are not found")
    let names = try Tool("/bin/sh", "-c", "exec /usr/bin/nm -u \"$1\"/*.o", "sh", build).run()
    return names.contains("\(other.utf8.count)\(other)")
  }
}

import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct SystemVKeyTests {
  @Test("of a path is what Perl's ftok makes of it")
  func isPerls() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 65)
    let perls = try Tool.perl("use IPC::SysV 'ftok'; print ftok($ARGV[0], 65)", directory.path).run()
    #expect(String(key.rawValue) == perls)
    #expect(try SystemVKey(path: directory.path, project: 66) != key)
    #expect(key != .private)
  }

  @Test("is an error where the path does not exist, and for the project that ftok leaves undefined")
  func refuses() throws {
    let directory = try TemporaryDirectory()
    let missing = failure { () throws(SystemCallError) in try SystemVKey(path: directory["none"], project: 1) }
    #expect(missing == SystemCallError("ftok", on: directory["none"], code: .noSuchFileOrDirectory))
    let zero = failure { () throws(SystemCallError) in try SystemVKey(path: directory.path, project: 0) }
    #expect(zero?.code == .invalidArgument)
  }

  @Test("is written as ipcs writes it", arguments: [(1234, "0x000004d2"), (-1, "0xffffffff"), (0, "0x00000000")])
  func isWritten(number: Int32, text: String) { #expect("\(SystemVKey(rawValue: number))" == text) }
}

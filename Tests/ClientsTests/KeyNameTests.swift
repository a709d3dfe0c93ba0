import TestSupport
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

@testable import Clients

@Suite struct KeyNameTests {
  @Test(
    "reads numbers of both kinds",
    arguments: [
      ("1", 1), ("1234", 1234), ("0x4d2", 1234), ("0X4D2", 1234), ("2147483647", Int32.max), ("4294967295", -1),
      ("0xffffffff", -1), ("0x0001", 1),
    ] as [(String, Int32)])
  func readsNumbers(text: String, value: Int32) throws {
    #expect(try KeyName(text) == .number(SystemVKey(rawValue: value)))
  }

  @Test(
    "reads paths, with a project where one is told",
    arguments: [
      ("./lock", "./lock", 1), ("/srv/lock:7", "/srv/lock", 7), ("/srv/lock:a", "/srv/lock", 97),
      ("/srv/lock:255", "/srv/lock", 255), ("/srv/a:b/c", "/srv/a:b/c", 1), ("/srv/a:1:2", "/srv/a:1", 2),
      ("/srv/a:", "/srv/a:", 1), ("/srv/a:xy", "/srv/a:xy", 1), ("/srv/a:é", "/srv/a:é", 1), ("/", "/", 1),
    ] as [(String, String, UInt8)])
  func readsPaths(text: String, path: String, project: UInt8) throws {
    #expect(try KeyName(text) == .file(path: path, project: project))
  }

  @Test(
    "refuses what may mean two things, or nothing",
    arguments: [
      "", "0", "0x0", "00", "010", "-1", "+1", " 1", "1 ", "0x", "0xg", "0x+1", "x", "lock", "4294967296",
      "0x100000000",
      "1.0", "/srv/lock:0", "/srv/lock:256", "/srv/lock:99999999999", "１",
    ])
  func refuses(text: String) { #expect(throws: KeyName.Problem.self) { try KeyName(text) } }

  @Test("a file's key is ftok's")
  func fileKeys() throws {
    #expect(try KeyName(path: "/").key() == SystemVKey(path: "/", project: 1))
    #expect(try KeyName("/:9").key() == SystemVKey(path: "/", project: 9))
    #expect(throws: SystemCallError.self) { try KeyName("/nonexistent/x").key() }
    #expect(throws: KeyName.Problem.self) { try KeyName(path: "") }
    #expect(throws: KeyName.Problem.self) { try KeyName(path: ":1") }
  }
}

import Admission
import Testing
@_spi(Begat) import UnixCore

@testable import Settings

/// A machine where root is the only user with a name.
private struct FewUsers: MachineLookups {
  func userNumber(_ text: String) -> UInt32? { text == "root" ? 0 : UInt32(decimal: text) }
  func port(_ text: String, isDatagram: Bool) -> UInt16? { nil }
  var runtimeDirectory: String { "/run/begat" }
}

@Suite struct PeerReaderTests {
  private let reader = PeerReader(FewUsers())

  @Test(
    "reads what it shows",
    arguments: [
      ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.7", "192.0.2.7"), ("2001:DB8::/32", "2001:db8::/32"),
      ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("unix:1000", "unix:1000"), ("unix:root", "unix:0"),
      ("unix:*", "unix:*"), ("unix:4294967295", "unix:4294967295"),
    ])
  func reads(text: String, shown: String) throws {
    let peer = try reader.read(text)
    #expect(peer.description == shown)
    #expect(try reader.read(shown) == peer)
  }

  @Test(
    "reads nothing else",
    arguments: [
      "", "unix", "unix:", "unix:-1", "unix:4294967296", "unix:nobody", "unix:**", "unix: 1", "UNIX:1", "*", "all", "7",
      "192.0.2.7/24", "192.0.2.0/33", "/run/a", "@a",
    ])
  func readsNothingElse(text: String) { #expect(throws: ValueProblems.self) { try reader.read(text) } }
}

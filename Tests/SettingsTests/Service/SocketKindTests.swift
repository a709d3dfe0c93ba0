import Settings
import Testing
import UnixIPC

@Suite struct SocketKindTests {
  @Test(
    "follows from the address and the type",
    arguments: [
      ("127.0.0.1:7", true, .internetStream), ("[::1]:7", false, .internetDatagram), ("/run/x", true, .unixStream),
      ("@x", false, .unixDatagram), (nil, true, .unixStream),
    ] as [(String?, Bool, ServiceMode.SocketKind)])
  func followsFromAddress(text: String?, isStream: Bool, kind: ServiceMode.SocketKind) throws {
    let address = try text.map { try #require(SocketAddress($0)) }
    #expect(ServiceMode.SocketKind(address, isStream: isStream) == kind)
    guard let address else { return }
    let listened = ListenAddress.address(address, isOptional: false)
    #expect(listened.boundKind(isStream: isStream) == kind)
    #expect(listened.kinds(isStream: isStream) == [kind])
  }

  @Test("is either family where the service manager passes the socket")
  func isAnyFamilyWherePassed() {
    let passed = ListenAddress.passed(name: "x")
    #expect(passed.boundKind(isStream: true) == nil)
    #expect(passed.kinds(isStream: true) == [.unixStream, .internetStream])
    #expect(passed.kinds(isStream: false) == [.unixDatagram, .internetDatagram])
  }
}

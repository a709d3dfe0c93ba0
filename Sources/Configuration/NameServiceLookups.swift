@_spi(Begat) import NameService
import Settings

/// Looks up users and ports in the name service of this machine.
struct NameServiceLookups: MachineLookups {
  let runtimeDirectory: String

  func userNumber(_ text: String) -> UInt32? { Users.number(of: text) }
  func port(_ text: String, isDatagram: Bool) -> UInt16? { Ports.find(text, transport: isDatagram ? .udp : .tcp) }
}

import NameService
import Settings

/// What the name service of this machine knows of users and ports.
struct NameServiceLookups: MachineLookups {
  let runtimeDirectory: String

  func userNumber(_ text: String) -> UInt32? { Users.number(of: text) }
  func port(_ text: String, isDatagram: Bool) -> UInt16? { Ports.find(text, transport: isDatagram ? .udp : .tcp) }
}

import Settings
import TestSupport
import Testing

@Suite struct AddedCommandTests {
  @Test(
    "has a name in lower case that no built-in command has",
    arguments: [
      ("uptime", true), ("a", true), ("9", true), ("-", true), ("a_b-2", true),
      (String(repeating: "n", count: 32), true),
      ("", false), (String(repeating: "n", count: 33), false), ("Uptime", false), ("a b", false), ("a.b", false),
      ("a=b", false), ("é", false), ("a\0", false), ("quit", false), ("exit", false), ("date", false), ("time", false),
      ("who", false), ("cookie", false), ("motd", false), ("help", false), ("helper", true),
    ])
  func hasAName(text: String, isName: Bool) { #expect(AddedCommand.isName(text) == isName) }
}

@Suite struct EnvironmentVariableTests {
  @Test(
    "has a name of letters, digits and _",
    arguments: [
      ("A", true), ("_", true), ("a_1", true), ("LANG", true), ("", false), ("1A", false), ("A-B", false),
      ("A B", false),
      ("A=", false), ("É", false), ("A\0", false),
    ])
  func hasAName(text: String, isName: Bool) { #expect(EnvironmentVariable.isName(text) == isName) }

  @Test(
    "is reserved where it says who the client is",
    arguments: [
      ("PROTO", true), ("PROXY_ADDR", true), ("PROXY_UNIQUE_ID", true), ("PROXY_URL", false), ("SSL_PROTOCOL", true),
      ("SSL_CERT_FILE", false), ("TCPREMOTEIP", true),
      ("TCP", true), ("IPCREMOTEEUID", true), ("REMOTE_ADDR", true),
      ("LISTEN_FDS", true), ("LISTEN_PID", true), ("PROTOCOL", false), ("PATH", false), ("tcpremoteip", false),
      ("REMOTE", false), ("LISTEN", false), ("MY_TCP", false),
    ])
  func isReserved(text: String, isReserved: Bool) { #expect(EnvironmentVariable.isReserved(text) == isReserved) }
}

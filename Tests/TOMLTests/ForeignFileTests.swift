import TOML
import Testing

@Suite struct ForeignFileTests {
  @Test(
    "recognises a file of xinetd",
    arguments: [
      "service echo\n{\n}\n", "# comment\n\n\tservice echo\r\n# x\n{\n", "defaults\n{\n  instances = 60\n}\n",
      "service x {\n}",
    ])
  func recognisesXinetd(text: String) { #expect(fault(text).hasSuffix(": this looks like a file of xinetd, not TOML")) }

  @Test(
    "recognises a file of inetd",
    arguments: [
      "echo stream tcp nowait root internal\n",
      "# x\n\ntalk\tdgram\tudp\twait.10\tnobody.tty\t/usr/sbin/in.talkd\tin.talkd\n",
      "127.0.0.1:ftp stream tcp6 nowait root /usr/sbin/tcpd in.ftpd -l", "walld/1 dgram rpc/udp wait root /x x",
    ])
  func recognisesInetd(text: String) { #expect(fault(text).hasSuffix(": this looks like a file of inetd, not TOML")) }

  @Test("names the line that it is recognised by")
  func namesTheLine() {
    #expect(fault("# x\n\n service x\n{\n") == "3:2: this looks like a file of xinetd, not TOML")
  }

  @Test(
    "does not take other files for these",
    arguments: ["service echo\n", "defaults\n[x]\n", "service = {}\n{\n", "echo stream tcp\n"])
  func doesNotTakeOthers(text: String) {
    #expect(fault(text) != "")
    #expect(!fault(text).contains("inetd"))
  }
}

import Settings
import Testing

@Suite struct BuiltInTests {
  @Test("answers datagrams where it is defined for them")
  func answersDatagrams() {
    #expect(Set(BuiltIn.allCases.filter { !$0.answersDatagrams }) == [.hello, .command, .status, .haproxyAgent])
  }

  @Test("is offered by begatd only where it shows begatd's state")
  func needsSupervisor() {
    #expect(BuiltIn.allCases.filter(\.needsSupervisor) == [.status, .haproxyAgent])
  }

  @Test("needs a list of allowed networks where its datagrams could be abused")
  func needsAllowList() {
    #expect(Set(BuiltIn.allCases.filter(\.requiresAllowListForDatagrams)) == [.fortune, .echo, .chargen])
  }

  @Test("tells fortunes where it needs them")
  func tellsFortunes() {
    #expect(Set(BuiltIn.allCases.filter(\.tellsFortunes)) == [.hello, .fortune, .command])
    #expect(BuiltIn.names == "hello fortune daytime time echo discard chargen command status haproxy-agent")
  }
}

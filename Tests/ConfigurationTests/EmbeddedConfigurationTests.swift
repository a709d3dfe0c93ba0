import Glibc
import Testing
import UnixIPC

@testable import Configuration

@Suite struct EmbeddedConfigurationTests {
  @Test("is right, for root and for anybody", arguments: [0, 1000] as [uid_t])
  func isRight(user: uid_t) throws {
    let configuration = try Configuration.load(file: nil, in: .sample(user: user))
    #expect(configuration.warnings == [])
    let listens = configuration.services.map { service in
      "\(service.name) \(service.serve) \(service.streams) \(service.datagrams)"
    }
    #expect(
      listens == [
        "hello hello [127.0.0.1:2345, [::1]:2345, /run/begat/catsock] []",
        "fortune fortune [127.0.0.1:10017] []",
        "daytime daytime [127.0.0.1:10013] [127.0.0.1:10013]",
        "time time [127.0.0.1:10037] [127.0.0.1:10037]",
        "echo echo [127.0.0.1:10007] []",
        "discard discard [127.0.0.1:10009] []",
        "chargen chargen [127.0.0.1:10019] []",
        "command command [127.0.0.1:9000] []",
      ])
    #expect(configuration.services.filter { !$0.isEnabled }.isEmpty)
    #expect(configuration.daemon == DaemonConfiguration())
  }

  @Test("shows keys that work, in comments too")
  func showsKeysThatWork() throws {
    let text = Configuration.embeddedText.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("#") && $0.contains(" = ") ? $0.dropFirst() : $0 }.joined(separator: "\n")
    let configuration = try Configuration.sample(text)
    let plain = try Configuration.sample(Configuration.embeddedText)
    #expect(configuration.daemon == plain.daemon)
    for (shown, actual) in zip(configuration.services, plain.services) {
      #expect(shown.backlog == actual.backlog && shown.maxConnections == actual.maxConnections)
      #expect(shown.firstByteTimeout == actual.firstByteTimeout && shown.idleTimeout == actual.idleTimeout)
      #expect(shown.log == actual.log && shown.socketAccess.mode == actual.socketAccess.mode)
      #expect(shown.identity?.user == actual.identity?.user && shown.identity?.group == actual.identity?.group)
    }
    for key in DaemonKey.allCases { #expect(text.contains("\n\(key.rawValue) = ")) }
    for key in ServiceKey.allCases where key != .fortune { #expect(text.contains("\n\(key.rawValue) = ")) }
    for key in FortuneKey.allCases { #expect(text.contains("\n\(key.rawValue) = ")) }
  }

  @Test("can be told")
  func canBeTold() throws {
    let text = try Configuration.load(file: nil, in: .sample()).checkText
    #expect(
      text.hasPrefix(
        """
        log-level info, log-target auto, drain-timeout 30s

        SERVICE  SERVES   USER    LIMIT  FIRST BYTE  IDLE  LOG          LISTENS ON
        hello    hello    nobody  256    none        10m   connections  stream 127.0.0.1:2345
                                                                        stream [::1]:2345
                                                                        stream /run/begat/catsock
        fortune  fortune  nobody  256    none        10m   connections  stream 127.0.0.1:10017
        daytime  daytime  nobody  256    none        10m   connections  stream 127.0.0.1:10013
                                                                        datagram 127.0.0.1:10013

        """))
    #expect(text.hasSuffix("\nbuilt-in default: configuration is right\n"))
    let other = try Configuration.sample(
      "[service.a]\nenabled = false\nserve = \"echo\"\nlisten-stream = \"7\"\n", user: 1000)
    #expect(
      other.effectiveSettings.hasSuffix(
        "a        echo    own   256    none        10m   connections  (disabled)\n\n"))
  }
}

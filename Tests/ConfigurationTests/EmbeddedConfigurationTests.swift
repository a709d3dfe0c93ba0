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
      "\(service.name) \(service.builtIn?.rawValue ?? "?") \(service.streams) \(service.datagrams)"
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
      #expect(shown.backlog == actual.backlog && shown.keepsAlive == actual.keepsAlive)
      #expect(shown.admission.maxConnections == actual.admission.maxConnections)
      #expect(shown.admission.maxConnectionsPerSource == actual.admission.maxConnectionsPerSource)
      #expect(shown.admission.rate == nil && shown.admission.ratePerSource == nil)
      #expect(shown.admission.sourcePrefix == actual.admission.sourcePrefix)
      #expect(shown.admission.whenFull == actual.admission.whenFull && shown.maxDuration == actual.maxDuration)
      #expect(shown.admission.allow.count == 3 && shown.admission.deny == actual.admission.deny)
      #expect(shown.program.umask == actual.program.umask && shown.program.nice == actual.program.nice)
      #expect(shown.program.environment == [] && shown.program.workingDirectory == "/")
      #expect(shown.firstByteTimeout == actual.firstByteTimeout && shown.idleTimeout == actual.idleTimeout)
      #expect(shown.log == actual.log && shown.socketAccess.mode == actual.socketAccess.mode)
      #expect(shown.identity?.user == actual.identity?.user && shown.identity?.group == actual.identity?.group)
    }
    for key in DaemonKey.allCases { #expect(text.contains("\n\(key.rawValue) = ")) }
    for key in ServiceKey.allCases where key != .fortune && key != .commands {
      #expect(text.contains("\n\(key.rawValue) = "))
    }
    #expect(configuration.services.last?.commands.map(\.name) == ["disk"])
    for key in FortuneKey.allCases { #expect(text.contains("\n\(key.rawValue) = ")) }
  }

  @Test("can be told")
  func canBeTold() throws {
    let text = try Configuration.load(file: nil, in: .sample()).checkText
    #expect(
      text.hasPrefix(
        """
        log-level info, log-target auto, drain-timeout 30s

        SERVICE  SERVES   USER    LISTENS ON
        hello    hello    nobody  stream 127.0.0.1:2345
                                  stream [::1]:2345
                                  stream /run/begat/catsock
        fortune  fortune  nobody  stream 127.0.0.1:10017
        daytime  daytime  nobody  stream 127.0.0.1:10013
                                  datagram 127.0.0.1:10013

        """))
    #expect(text.hasSuffix("\nbuilt-in default: configuration is right\n"))
    let limits = """

      SERVICE  CONNECTIONS  PER SOURCE  RATE    RATE PER SOURCE  WHEN FULL  FIRST BYTE  IDLE  MAX DURATION  LOG
      hello    256          32          none    none             wait       none        10m   none          connections
      fortune  256          32          none    none             wait       none        10m   none          connections
      daytime  256          32          none    none             wait       none        10m   none          connections
               (datagrams)  -           1000/s  10/s             refuse

      """
    #expect(text.contains(limits.dropLast()), "\(text)")
    #expect(!text.contains("ACCESS"))
  }
}

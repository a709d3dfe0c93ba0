import Admission
import Control
import Monitoring
import TestSupport
import Testing
@_spi(Begat) import UnixCore

/// Requests as lines.
@Suite(.timeLimit(.minutes(30))) struct ControlRequestTests {
  private static func network(_ text: String) -> IPNetwork {
    (try? IPNetwork(parsing: text)) ?? IPNetwork(IPv4Address.any, prefixLength: 0)
  }
  private static let id = ConnectionID(service: "hello", generation: 2, slot: 17, started: 123_456_789_012_345)

  static let requests: [ControlRequest] = [
    .status, .stop, .connections(service: nil), .connections(service: "hello"), .reload(isDryRun: false),
    .reload(isDryRun: true), .drain(.all, wait: .none), .drain(.named(["a", "b"]), wait: .untilDone),
    .drain(.named(["a"]), wait: .atMost(.milliseconds(1500))), .resume(.all), .resume(.named(["a"])), .end(.all),
    .end(.service("a")), .end(.source(network("192.0.2.0/24"), service: nil)),
    .end(.source(network("2001:db8::1"), service: "a")), .end(.listed([.id(id), .process(4711)])),
    .end(.listed([.process(1)])), .deny(network("192.0.2.7"), service: nil, duration: nil),
    .deny(network("2001:db8::/32"), service: "a", duration: .seconds(600)), .allow(network("192.0.2.7"), service: "a"),
  ]

  @Test("are read as they were written", arguments: requests)
  func areReadAsWritten(request: ControlRequest) throws {
    #expect(request.line.last == UInt8(ascii: "\n") && !request.line.dropLast().contains(UInt8(ascii: "\n")))
    #expect(try ControlRequest(line: request.line.dropLast()) == request)
  }

  @Test("may be written by hand")
  func mayBeWrittenByHand() throws {
    func read(_ text: String) throws -> ControlRequest { try ControlRequest(line: Array(text.utf8)) }
    #expect(try read(#" { "request" : "status" , "version" : 1 } "#) == .status)
    #expect(
      try read(#"{"version":1,"request":"deny","network":"192.0.2.7","for":"10m"}"#)
        == .deny(Self.network("192.0.2.7"), service: nil, duration: .seconds(600)))
    #expect(
      try read(#"{"version":1,"request":"drain","services":["a"],"all":false,"wait":"30s"}"#)
        == .drain(.named(["a"]), wait: .atMost(.seconds(30))))
    #expect(try read(#"{"version":1,"request":"ps","service":null}"#) == .connections(service: nil))
  }

  private func failure(_ text: String) -> ControlFailure? {
    do throws(ControlFailure) {
      _ = try ControlRequest(line: Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test(
    "say what is wrong with them",
    arguments: [
      (
        "hello",
        "not a JSON object: column 1: expected a value, found h; a request is a line such as {\"version\":1,\"request\":\"status\"}"
      ),
      ("[1]", "expected an object such as {\"version\":1,\"request\":\"status\"}, found an array"),
      (#"{"request":"status"}"#, "\"version\" is missing: it is 1"),
      (#"{"version":1}"#, "\"request\" is missing"),
      (#"{"version":1,"request":"statsu"}"#, "unknown request \"statsu\"; did you mean \"status\"?"),
      (
        #"{"version":1,"request":"fly\u001b"}"#,
        "unknown request \"fly\\x1b\"; known: status, ps, reload, drain, resume, end, deny, allow, upgrade, stop"
      ),
      (#"{"version":1,"request":7}"#, "\"request\": expected the name of a request, found 7"),
      (#"{"version":1,"request":"ps","servce":"a"}"#, "unknown member \"servce\"; did you mean \"service\"?"),
      (#"{"version":1,"request":"status","x":1}"#, "unknown member \"x\"; known: version, request"),
      (#"{"version":1,"request":"ps","service":1}"#, "\"service\": expected the name of a service, found 1"),
      (#"{"version":1,"request":"drain"}"#, "give either \"services\", an array of names, or \"all\": true"),
      (
        #"{"version":1,"request":"drain","all":true,"services":["a"]}"#,
        "give either \"services\", an array of names, or \"all\": true"
      ),
      (
        #"{"version":1,"request":"drain","services":[]}"#,
        "\"services\": expected an array of names of services, found an array"
      ),
      (
        #"{"version":1,"request":"drain","services":[1]}"#,
        "\"services\": expected an array of names of services, found 1"
      ),
      (
        #"{"version":1,"request":"drain","all":true,"wait":-1}"#,
        "\"wait\": expected a time above 0: seconds, or a text such as \"10m\", found -1"
      ),
      (#"{"version":1,"request":"reload","dry-run":"yes"}"#, "\"dry-run\": expected true or false, found a string"),
      (#"{"version":1,"request":"deny"}"#, "\"network\" is missing"),
      (
        #"{"version":1,"request":"deny","network":"192.0.2.7/24"}"#,
        "\"network\": \"192.0.2.7/24\": bits after the prefix are set; did you mean 192.0.2.0/24?"
      ),
      (
        #"{"version":1,"request":"deny","network":"192.0.2.7","for":"10"}"#,
        "\"for\": expected a time above 0: seconds, or a text such as \"10m\", found a string"
      ),
      (#"{"version":1,"request":"end","processes":[0]}"#, "\"processes\": expected numbers of processes, found 0"),
      (
        #"{"version":1,"request":"end","connections":["hello/1.2"]}"#,
        "\"connections\": expected ids such as \"hello/1.17.1kpqzg2c\", found a string"
      ),
      (
        #"{"version":1,"request":"end","all":true,"service":"a"}"#,
        "give one of \"connections\" and \"processes\", \"source\", \"service\", or \"all\": true; \"source\" and \"service\" may go together"
      ),
    ])
  func sayWhatIsWrong(text: String, message: String) {
    #expect(failure(text)?.message == message)
    #expect(failure(text)?.exitStatus == ControlFailure.usage)
  }

  @Test("of another version are refused by naming both")
  func refusesAnotherVersion() {
    let message = failure(#"{"version":2,"request":"status"}"#)?.message ?? ""
    #expect(message.hasPrefix("version 2: this begatd, ") && message.hasSuffix(", understands version 1 only"))
  }

  @Test("are bounded in length")
  func areBounded() {
    let long = #"{"version":1,"request":"ps","service":""# + String(repeating: "a", count: 8192) + "\"}"
    #expect(failure(long)?.message == "a request of more than 8192 bytes")
  }

  /// Ten thousand lines made of good ones by cutting, doubling, swapping and changing bytes.
  @Test("that are damaged are refused in one short printable line, or mean something")
  func damagedOnesAreHarmless() {
    var random = SeededRandom(state: 13)
    var refused = 0
    for _ in 0..<10_000 {
      var line = Array(Self.requests.randomElement(using: &random)!.line.dropLast())
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.damage(&line, &random) }
      do throws(ControlFailure) {
        let request = try ControlRequest(line: line)
        // A request that was read can be written and read again.
        #expect((try? ControlRequest(line: request.line.dropLast())) == request)
      } catch {
        refused += 1
        #expect(error.message.utf8.count < 400 && error.message.utf8.allSatisfy { (0x20...0x7e).contains($0) })
      }
    }
    #expect(refused > 8000)
  }

  private static func damage(_ line: inout [UInt8], _ random: inout SeededRandom) {
    guard !line.isEmpty else { return line = [0xff] }
    let place = Int.random(in: line.indices, using: &random)
    switch Int.random(in: 0..<7, using: &random) {
    case 0: line[place] = UInt8.random(in: .min ... .max, using: &random)
    case 1: line.remove(at: place)
    case 2: line.insert(Array("{}[]\",:\\u0-9e.tfn\u{0}".utf8).randomElement(using: &random)!, at: place)
    case 3: line.removeSubrange(place...)
    case 4: line.insert(contentsOf: line[..<place], at: place)
    case 5: line.swapAt(place, Int.random(in: line.indices, using: &random))
    default:
      line.insert(contentsOf: repeatElement(line[place], count: Int.random(in: 1...9000, using: &random)), at: place)
    }
  }

  @Test("name connections by ids that no other connection has")
  func connectionIDs() throws {
    let text = Self.id.description
    #expect(text == "hello/2.17.1kpqzg2c")
    #expect(ConnectionID(text) == Self.id && Self.id.isStarted(at: 123_456_789_012_345))
    #expect(!Self.id.isStarted(at: 123_456_789_112_345))
    for wrong in [
      "", "/", "hello", "hello/", "hello/1", "hello/1.2", "hello/1.2.", "hello/1.2.-1", "hello/1.2.+1", "hello/1.2.A",
      "/1.2.3", "a/1.2.3.4", "a/x.2.3", "a/1.2.zzzzzzzzzzzzzzzzzz", "hello/1.2. 3",
    ] {
      #expect(ConnectionID(wrong) == nil, "\(wrong)")
    }
  }
}

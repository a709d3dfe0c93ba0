import Glibc
import Testing

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct DatagramExchangeTests {
  private func name(_ word: String) -> SocketAddress {
    .unixAbstract(Array("begat-exchange-\(getpid())-\(word)".utf8))
  }

  private func client(_ word: String, of server: SocketAddress) throws -> Descriptor {
    let client = try Descriptor.bound(to: name(word), kind: .datagram, options: BindOptions())
    try ClientSocket.connect(client, to: server)
    return client
  }

  /// What has arrived, a text for each datagram.
  private func received(by socket: borrowing Descriptor) -> [String] {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { room.deallocate() }
    var texts: [String] = []
    while let count = try? socket.receive(into: room, waiting: false) {
      texts.append(String(decoding: room[..<count], as: UTF8.self))
    }
    return texts
  }

  /// Answers each datagram with itself, but none to "silence".
  private func echo(_ exchange: inout DatagramExchange, _ count: Int) {
    for index in 0..<count {
      exchange.answer(index) { question, room in
        if question.elementsEqual("silence".utf8) { return nil }
        room.copyMemory(from: question)
        return question.count
      }
    }
  }

  @Test("answers each sender by itself, in the order of the questions, and an empty datagram with an empty one")
  func answersEachSender() throws {
    let server = try DatagramSocket(name("order"))
    let one = try client("one", of: name("order"))
    let other = try client("other", of: name("order"))
    for text in ["first", "", "second"] { try one.sendDatagram(text) }
    for text in ["silence", "third"] { try other.sendDatagram(text) }
    var exchange = try DatagramExchange(largestAnswer: 100)
    let count = try exchange.receive(on: server)
    #expect(count == 5)
    var senders: [SocketAddress?] = []
    for index in 0..<count { senders.append(exchange.sender(of: index)) }
    #expect(senders == [name("one"), name("one"), name("one"), name("other"), name("other")])
    let wasBroadcast = exchange.wasBroadcast(0)
    #expect(!wasBroadcast)
    echo(&exchange, count)
    let sent = exchange.send(on: server) { index, code in Issue.record("\(index): \(code)") }
    #expect(sent == 4)
    #expect(received(by: one) == ["first", "", "second"])
    #expect(received(by: other) == ["third"])
    do throws(SystemCallError) {
      let more = try exchange.receive(on: server)
      Issue.record("\(more) more")
    } catch { #expect(error.code == .wouldBlock) }
    let again = exchange.send(on: server) { _, _ in }
    #expect(again == 0, "answers are sent once")
  }

  @Test("answers from the address that was asked", arguments: ["127.0.0.1", "127.0.0.5"])
  func answersFromTheAddressAsked(asked: String) throws {
    let server = try DatagramSocket(#require(SocketAddress("0.0.0.0:0")))
    let port = try #require(try server.descriptor.localAddress().address?.port)
    let client = try Descriptor.socket(family: .ipv4, kind: .datagram)
    try ClientSocket.connect(client, to: #require(SocketAddress("\(asked):\(port)")))
    try client.sendDatagram("question")
    try #require(server.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20))) == true)
    var exchange = try DatagramExchange(largestAnswer: 100)
    let count = try exchange.receive(on: server)
    let sender = exchange.sender(of: 0)
    #expect(try sender == client.localAddress().address)
    echo(&exchange, count)
    let sent = exchange.send(on: server) { index, code in Issue.record("\(index): \(code)") }
    #expect(sent == 1)
    try #require(client.wait(for: .readable, until: Deadline(after: .seconds(20))) == true)
    #expect(received(by: client) == ["question"])
  }

  @Test("an answer that cannot be sent is reported, and keeps no other back")
  func reportsWhatIsNotTaken() throws {
    let server = try DatagramSocket(name("gone"))
    let first = try client("a", of: name("gone"))
    var leaving: Descriptor? = try client("b", of: name("gone"))
    let last = try client("c", of: name("gone"))
    try first.sendDatagram("1")
    try leaving!.sendDatagram("2")
    try leaving!.sendDatagram("3")
    try last.sendDatagram("4")
    leaving = nil
    var exchange = try DatagramExchange(largestAnswer: 100)
    echo(&exchange, try exchange.receive(on: server))
    var failures: [Int: ErrorCode] = [:]
    let sent = exchange.send(on: server) { index, code in failures[index] = code }
    #expect(sent == 2)
    #expect(failures == [1: .connectionRefused, 2: .connectionRefused])
    #expect(received(by: first) == ["1"])
    #expect(received(by: last) == ["4"])
  }

  @Test("takes a full batch and leaves the rest; is full when there may be no room for another answer")
  func takesABatch() throws {
    let server = try DatagramSocket(#require(SocketAddress("127.0.0.1:0")))
    let client = try Descriptor.socket(family: .ipv4, kind: .datagram)
    try ClientSocket.connect(client, to: #require(try server.descriptor.localAddress().address))
    for number in 0..<(DatagramExchange.capacity + 3) { try client.sendDatagram("\(number)") }
    var exchange = try DatagramExchange(largestAnswer: 10)
    let first = try exchange.receive(on: server)
    #expect(first == DatagramExchange.capacity)
    exchange.answer(0) { _, room in
      room.copyBytes(from: "0123456789".utf8)
      return 10
    }
    var states = [exchange.isFull]
    exchange.answer(1) { _, _ in 1 }
    states.append(exchange.isFull)
    let sent = exchange.send(on: server) { index, code in Issue.record("\(index): \(code)") }
    states.append(exchange.isFull)
    #expect(states == [false, true, false])
    #expect(sent == 2)
    let rest = try exchange.receive(on: server)
    #expect(rest == 3)
    #expect(received(by: client).first == "0123456789")
  }

  @Test("receives the largest datagram whole")
  func receivesTheLargest() throws {
    let server = try DatagramSocket(#require(SocketAddress("127.0.0.1:0")))
    let client = try Descriptor.socket(family: .ipv4, kind: .datagram)
    try ClientSocket.connect(client, to: #require(try server.descriptor.localAddress().address))
    let text = String(repeating: "x", count: 65_507)
    try client.sendDatagram("small")
    try client.sendDatagram(text)
    var exchange = try DatagramExchange(largestAnswer: 65_507)
    let count = try exchange.receive(on: server)
    for index in 0..<count {
      if exchange.isFull { _ = exchange.send(on: server) { index, code in Issue.record("\(index): \(code)") } }
      exchange.answer(index) { question, room in
        room.copyMemory(from: question)
        return question.count
      }
    }
    _ = exchange.send(on: server) { index, code in Issue.record("\(index): \(code)") }
    #expect(received(by: client) == ["small", text])
  }
}

extension Descriptor {
  fileprivate borrowing func sendDatagram(_ text: String) throws {
    var text = text
    _ = try text.withUTF8 { try send(UnsafeRawBufferPointer($0)) }
  }
}

import CPlatform
import Glibc

/// Datagrams that a server receives together and answers together: two system calls for many.
///
/// Forks do not copy its memory.
///
/// Source: recvmmsg(2), sendmmsg(2).
@_spi(Begat) public struct DatagramExchange: ~Copyable {
  /// How many datagrams are received together at most.
  public static let capacity = 32

  /// The longest datagram that is received whole, in bytes: the longest of UDP.  Those of Unix sockets can be
  /// longer, and are cut.
  private static let largestQuestion = 65_536

  private let memory: MemoryMapping
  private let largestAnswer: Int
  private let questions: UnsafeMutableBufferPointer<iovec>
  private let answers: UnsafeMutableBufferPointer<iovec>
  private let senders: UnsafeMutableBufferPointer<platform_datagram>
  /// The number of the question that each answer is for.
  private let answered: UnsafeMutableBufferPointer<UInt8>
  private let questionRoom: UnsafeMutableRawBufferPointer
  private let answerRoom: UnsafeMutableRawBufferPointer
  private var answerCount = 0
  private var answerSize = 0

  /// - Parameter largestAnswer: how many bytes an answer has at most.
  public init(largestAnswer: Int) throws(SystemCallError) {
    let capacity = DatagramExchange.capacity
    let (parts, datagrams) = (MemoryLayout<iovec>.stride, MemoryLayout<platform_datagram>.stride)
    let size = capacity * (2 * parts + datagrams + 1 + DatagramExchange.largestQuestion) + 2 * largestAnswer
    memory = try MemoryMapping.private(size: size)
    self.largestAnswer = largestAnswer
    var next = memory.unsafeBytes.baseAddress!
    func take(_ size: Int) -> UnsafeMutableRawPointer {
      defer { next += size }
      return next
    }
    func array<Element>(of type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
      let start = take(capacity * MemoryLayout<Element>.stride)
      return UnsafeMutableBufferPointer(start: start.bindMemory(to: type, capacity: capacity), count: capacity)
    }
    questions = array(of: iovec.self)
    answers = array(of: iovec.self)
    senders = array(of: platform_datagram.self)
    answered = array(of: UInt8.self)
    let questionSize = capacity * DatagramExchange.largestQuestion
    questionRoom = UnsafeMutableRawBufferPointer(start: take(questionSize), count: questionSize)
    answerRoom = UnsafeMutableRawBufferPointer(start: take(2 * largestAnswer), count: 2 * largestAnswer)
  }

  /// Takes the datagrams that wait, at most `capacity`, in the place of earlier ones and their answers; never waits.
  ///
  /// - Returns: how many came, at least 1.  Fewer than `capacity` are all that waited, unless an error cut them short.
  /// - Throws: `EAGAIN` if none waits.
  public mutating func receive(on socket: borrowing DatagramSocket) throws(SystemCallError) -> Int {
    for index in questions.indices {
      questions[index] = iovec(
        iov_base: questionRoom.baseAddress! + index * DatagramExchange.largestQuestion,
        iov_len: DatagramExchange.largestQuestion)
    }
    (answerCount, answerSize) = (0, 0)
    return Int(
      try check("recvmmsg", onDescriptor: socket.descriptor.number) {
        platform_receive_datagrams(
          socket.descriptor.number, questions.baseAddress, senders.baseAddress, UInt32(questions.count))
      })
  }

  /// The address of a datagram's sender; nil if it cannot be answered, such as an unbound Unix socket.
  public func sender(of index: Int) -> SocketAddress? { senders[index].peerAddress }

  /// Whether a datagram went to a group of machines, by broadcast or multicast.
  public func wasBroadcast(_ index: Int) -> Bool { senders[index].to_many }

  /// Whether there may be no room for another answer.
  public var isFull: Bool { answerCount == answers.count || answerRoom.count - answerSize < largestAnswer }

  /// Adds an answer to a datagram; there must be room.
  ///
  /// - Parameter write: gets the datagram, and room for an answer of which it returns the length; nil for no answer.
  public mutating func answer(
    _ index: Int, _ write: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Int?
  ) {
    precondition(!isFull)
    let question = UnsafeRawBufferPointer(start: questions[index].iov_base, count: questions[index].iov_len)
    let room = UnsafeMutableRawBufferPointer(rebasing: answerRoom[answerSize..<(answerSize + largestAnswer)])
    guard let count = write(question, room) else { return }
    answers[answerCount] = iovec(iov_base: room.baseAddress, iov_len: count)
    answered[answerCount] = UInt8(index)
    answerCount += 1
    answerSize += count
  }

  /// Sends the answers, each from the address to which its question went, and forgets them; never waits.
  ///
  /// - Parameter failed: is called for each that is not taken, with the number of its question: `EAGAIN` when there is no
  ///   room for it.  The others are sent.
  /// - Returns: how many were sent.
  public mutating func send(on socket: borrowing DatagramSocket, failed: (Int, ErrorCode) -> Void) -> Int {
    var sent = 0
    var next = 0
    while next < answerCount {
      let count = platform_send_datagrams(
        socket.descriptor.number, answers.baseAddress! + next, senders.baseAddress, answered.baseAddress! + next,
        UInt32(answerCount - next))
      if count > 0 {
        sent += Int(count)
        next += Int(count)
      } else if ErrorCode.current != .interrupted {
        failed(Int(answered[next]), .current)
        next += 1
      }
    }
    (answerCount, answerSize) = (0, 0)
    return sent
  }
}

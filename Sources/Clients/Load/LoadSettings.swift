@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// What `begat load` is asked to do.
public struct LoadSettings: Sendable {
  /// When no more connections are begun.
  public enum End: Hashable, Sendable {
    case connections(Int)
    case duration(Duration)
  }

  public var target: ConnectionTarget
  /// Ask by datagrams, one question and one answer each, instead of connections.
  public var usesDatagrams = false
  /// Connections that are under way at once, at most; nil for the default.
  public var concurrency: Int?
  /// How many connections begin in a second, whatever becomes of those before; nil if each begins when another ends.
  public var rate: Double?
  public var end = End.duration(.seconds(10))
  /// How many bytes each connection should receive; nil if any number is right except none.
  public var expectedBytes: Int?
  /// A text that each connection should receive, among others; empty if any text is right.
  public var expectedText: [UInt8] = []
  /// How many bytes each connection sends unasked.
  public var sentBytes = 0
  /// What each connection sends instead, such as a command that makes the server end it.
  public var sentText: [UInt8] = [] {
    didSet { sentBytes = sentText.count }
  }
  /// A header of this version of the PROXY protocol begins each connection; nil: none does.
  public var proxy: ProxyClaim.Version?
  /// How many addresses of 127.1.0.0/16 to connect from in turn; 0 leaves the source address to the kernel.
  ///
  /// With `proxy`, how many addresses of 198.18.0.0/16 the headers claim in turn, at least one.
  ///
  /// A server that looks up its clients' names or limits each source is measured with all the addresses' lookups and
  /// limits.
  public var sources = 0
  /// Connections that are opened before and stay idle until the end.
  public var held = 0
  /// The time that one connection may take; nil for the default.
  public var timeout: Duration?
  public var json = false

  public init(target: ConnectionTarget) { self.target = target }

  /// At a rate, enough that a server's pause delays nothing: what waits for a slot is not seen by the server.
  var slotCount: Int { concurrency ?? (rate == nil ? 16 : 1000) }

  /// A datagram that was lost is never answered: waiting for it measures nothing.
  var patience: Duration { timeout ?? .seconds(usesDatagrams ? 1 : 10) }

  /// What is asked for and cannot be, as one line; nil when all is well.
  public var problem: String? {
    if !(1...100_000).contains(slotCount) { return "--concurrency is 1 to 100000" }
    if let rate, !(0.001...1_000_000).contains(rate) { return "--rate is 0.001 to 1000000 in a second" }
    if case .connections(let count) = end, count < 1 { return "--connections is at least 1" }
    if let expectedBytes, expectedBytes < 0 { return "--expect-bytes is not negative" }
    if sentBytes < 0 { return "--send-bytes is not negative" }
    if sentText.count > LoadGenerator.largestText { return "--send is at most \(LoadGenerator.largestText) bytes" }
    if !(0...SourceAddresses.most).contains(sources) { return "--sources is 0 to \(SourceAddresses.most)" }
    if !(0...1_000_000).contains(held) { return "--hold is 0 to 1000000" }
    if let timeout, timeout <= .zero { return "--timeout is more than 0" }
    return datagramProblem
  }

  private var datagramProblem: String? {
    guard usesDatagrams else { return nil }
    if held > 0 { return "--hold is for connections, not for --udp" }
    if proxy != nil { return "--proxy is for connections, not for --udp" }
    if sentBytes > LoadGenerator.largestText {
      return "--send-bytes is at most \(LoadGenerator.largestText) with --udp"
    }
    return nil
  }
}

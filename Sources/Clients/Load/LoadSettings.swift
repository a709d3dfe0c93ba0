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
  /// Connections that are under way at once.
  public var concurrency = 16
  public var end = End.duration(.seconds(10))
  /// How many bytes each connection should receive; nil if any number is right except none.
  public var expectedBytes: Int?
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
  /// The time that one connection may take.
  public var timeout = Duration.seconds(10)
  public var json = false

  public init(target: ConnectionTarget) { self.target = target }

  /// What is asked for and cannot be, as one line; nil when all is well.
  public var problem: String? {
    if concurrency < 1 || concurrency > 100_000 { return "--concurrency is 1 to 100000" }
    if case .connections(let count) = end, count < 1 { return "--connections is at least 1" }
    if let expectedBytes, expectedBytes < 0 { return "--expect-bytes is not negative" }
    if sentBytes < 0 { return "--send-bytes is not negative" }
    if sentText.count > LoadGenerator.largestText { return "--send is at most \(LoadGenerator.largestText) bytes" }
    if !(0...SourceAddresses.most).contains(sources) { return "--sources is 0 to \(SourceAddresses.most)" }
    if !(0...1_000_000).contains(held) { return "--hold is 0 to 1000000" }
    if timeout <= .zero { return "--timeout is more than 0" }
    return nil
  }
}

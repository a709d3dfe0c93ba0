import ControlProtocol
@_spi(Begat) import UnixCore

/// The state page and the scoreboards that begatd has passed to a listener whose service shows them, mapped for reading:
/// its connection processes inherit them.
public final class SharedState {
  private var page: StatePageReader?
  private var boards: [UInt32: ScoreboardReader] = [:]

  public init() {}

  /// Takes the page, which replaces another one.
  public func takePage(_ object: consuming Descriptor) throws(SystemCallError) { page = try StatePageReader(object) }

  /// Takes a scoreboard.
  ///
  /// - Parameter number: by which the page names it.
  public func takeBoard(_ number: UInt32, _ object: consuming Descriptor) throws(SystemCallError) {
    boards[number] = try ScoreboardReader(object)
  }

  /// Lets go of a scoreboard that the page does not name any more.
  public func dropBoard(_ number: UInt32) { boards[number] = nil }

  /// Reads the state that the page shows.
  public func read() throws(StatePageReader.Problem) -> DaemonState {
    guard let page else { throw .unreadable }
    return try page.read()
  }

  /// The scoreboard of a number; nil if begatd has passed none.
  public func board(_ number: UInt32) -> ScoreboardReader? { boards[number] }
}

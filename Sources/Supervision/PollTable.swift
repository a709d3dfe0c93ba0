@_spi(Begat) import UnixCore

/// The events for which the supervisor waits: descriptors, each with the action that is taken when it is ready.
///
/// Each entry has a token of its own, never used twice: an event of a descriptor that an earlier action of the same turn
/// has removed finds no entry, whichever descriptor has its number by then.
final class PollTable {
  /// An entry of the table.
  struct Token: Hashable {
    fileprivate let number: UInt64
  }

  private struct Entry {
    let descriptor: CInt
    let action: (Poller.Interest) -> Void
  }

  private let poller: Poller
  private var entries: [Token: Entry] = [:]
  private var lastNumber: UInt64 = 0

  init() throws(SystemCallError) { poller = try Poller() }

  /// How many descriptors are watched.
  var count: Int { entries.count }

  /// Watches a descriptor, which its owner keeps open until the entry is removed.
  ///
  /// - Parameter action: receives what the descriptor is ready for; may add, change and remove entries.
  func add(
    _ descriptor: CInt, _ interest: Poller.Interest, _ action: @escaping (Poller.Interest) -> Void
  ) throws(SystemCallError) -> Token {
    lastNumber += 1
    let token = Token(number: lastNumber)
    try poller.add(descriptor, interest, token: token.number)
    entries[token] = Entry(descriptor: descriptor, action: action)
    return token
  }

  /// Watches the descriptor of an entry for something else from now on.
  func change(_ token: Token, _ interest: Poller.Interest) throws(SystemCallError) {
    guard let entry = entries[token] else { return }
    try poller.change(entry.descriptor, interest, token: token.number)
  }

  /// Stops watching; the descriptor is still open.
  func remove(_ token: Token) {
    guard let entry = entries.removeValue(forKey: token) else { return }
    try? poller.remove(entry.descriptor)
  }

  /// Waits once, and takes the actions of all descriptors that are ready.
  ///
  /// - Parameter milliseconds: how long to wait.
  func wait(milliseconds: CInt) {
    poller.wait(milliseconds: milliseconds) { event in
      entries[Token(number: event.token)]?.action(event.ready)
    }
  }
}

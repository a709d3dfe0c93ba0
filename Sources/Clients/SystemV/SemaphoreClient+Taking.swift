import Glibc
import Settings
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

extension SemaphoreClient {
  /// How long to wait for a lock that is taken.
  public enum Patience: Sendable {
    case endless
    case limited(Duration)
    case none
  }

  /// Takes the lock; with a command, this process becomes that command then.
  ///
  /// The process that took it is the one that has it: what it is to undo stays with it over execve(2), so the lock is
  /// free when the command has ended, however it ended, and nothing stands between the command and its signals, its
  /// terminal and whoever waits for it.  Without a command the lock outlives its taker, and nothing can be undone.
  ///
  /// - Parameter mode: the permissions of the set, if it has to be made.
  /// - Returns: the exit status, where there is no command or it does not come to that.
  public func take(_ patience: Patience, mode: mode_t = 0o600, for words: UserCommand) -> CInt {
    command.attempt(failure: words.isEmpty ? ExitStatuses.failure : ExitStatuses.notStarted) {
      // A command that does not exist waits for nothing.
      var path: String?
      if !words.isEmpty {
        do throws(SystemCallError) { path = try words.path() } catch { return command.complain(ofCommand: error) }
      }
      guard try take(patience, mode: mode, undo: path == nil ? .never : .atExit) else {
        command.complain("\(try key.key()) is \(standing(patience))")
        return ExitStatuses.temporaryFailure
      }
      guard let path else { return 0 }
      do throws(SystemCallError) {
        try ProcessControl.becomeProgram(
          at: UnixPath(path), arguments: Array(words.words.dropFirst()), argumentZero: words.words.first)
      } catch { return command.complain(ofCommand: error) }
    }
  }

  /// - Returns: false where the time was up.
  private func take(_ patience: Patience, mode: mode_t, undo: SemaphoreSet.Undo) throws -> Bool {
    let deadline: Deadline =
      switch patience {
      case .endless: .never
      case .limited(let limit): Deadline(after: limit)
      case .none: Deadline.immediate
      }
    let set = try openOrMake(mode: mode)
    try checkHolders(of: set)
    if try takeNow(set, undo: undo) { return true }
    if deadline.isExpired { return false }
    if StandardStream.errors.isTerminal { StandardStream.complain("[Waiting for semaphore \(try key.key())]") }
    do throws(SystemCallError) { try awaitPlace(set, undo: undo, until: deadline) } catch {
      if error.code == .timedOut { return false }
      throw error
    }
    return true
  }

  /// A lock that is missing is made: the first of all that want it cannot know that it is the first.
  private func openOrMake(mode: mode_t) throws(SystemCallError) -> SemaphoreSet {
    let key = try key.key()
    while true {
      do throws(SystemCallError) { return try open() } catch {
        guard error.code == .noSuchFileOrDirectory else { throw error }
      }
      do throws(SystemCallError) { return try .create(key, values: freeValues, mode: mode) } catch {
        // Another process was faster.
        guard error.code == .fileExists else { throw error }
      }
    }
  }

  private func standing(_ patience: Patience) -> String {
    if case .limited(let limit) = patience { return "still taken after \(DurationText.render(limit))" }
    return "taken"
  }
}

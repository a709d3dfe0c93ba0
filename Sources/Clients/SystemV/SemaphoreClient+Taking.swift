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
  /// - Returns: the exit status, where there is no command or it does not come to that.
  public func take(_ patience: Patience, for words: UserCommand) -> CInt {
    command.attempt(failure: ExitStatuses.failure) {
      // A command that does not exist waits for nothing.
      var path: String?
      if !words.isEmpty {
        do throws(SystemCallError) { path = try words.path() } catch { return command.complain(ofCommand: error) }
      }
      guard try take(patience, undo: path == nil ? .never : .atExit) else {
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
  private func take(_ patience: Patience, undo: SemaphoreSet.Undo) throws(SystemCallError) -> Bool {
    let deadline: Deadline =
      switch patience {
      case .endless: .never
      case .limited(let limit): Deadline(after: limit)
      case .none: Deadline.immediate
      }
    let set = try open(until: deadline)
    if try set.tryTake(index, undo: undo) { return true }
    if deadline.isExpired { return false }
    if StandardStream.errors.isTerminal { StandardStream.complain("[Waiting for semaphore \(try key.key())]") }
    do throws(SystemCallError) { try set.take(index, undo: undo, until: deadline) } catch {
      if error.code == .timedOut { return false }
      throw error
    }
    return true
  }

  private func standing(_ patience: Patience) -> String {
    if case .limited(let limit) = patience { return "still taken after \(DurationText.render(limit))" }
    return "taken"
  }
}

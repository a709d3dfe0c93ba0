import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Keeping the resolver of names running.
extension Supervisor {
  func startResolver() {
    guard let resolver else { return }
    do throws(SystemCallError) {
      try resolver.start(serving: allServices.flatMap(\.generations).compactMap(\.nameRequests))
      if let number = resolver.channelNumber {
        resolverToken = try poll.add(number, .readable) { [unowned self] ready in
          readResolver()
          if ready.contains(.writable) { sendWaitingToResolver() }
        }
        awaitRoomForResolver()
      }
    } catch {
      resolver.kill()
      resolverFailed("cannot be started: \(error)")
    }
  }

  /// Lets the resolver answer the connection processes of a listener, if they ask it.
  func serveNames(of generation: Generation) {
    guard let resolver, let requests = generation.nameRequests else { return }
    resolver.serve(requests)
    awaitRoomForResolver()
  }

  private func awaitRoomForResolver() {
    guard let resolver, resolver.hasWaiting, let resolverToken else { return }
    try? poll.change(resolverToken, [.readable, .writable])
  }

  private func sendWaitingToResolver() {
    guard let resolver else { return }
    resolver.sendWaiting()
    if !resolver.hasWaiting, let resolverToken { try? poll.change(resolverToken, .readable) }
  }

  /// Takes the resolver's answers; it has nothing else to say.
  func readResolver() {
    guard let resolver else { return }
    let answers = resolver.readAnswers()
    // The end of a channel stays readable: watched further, it would wake begatd without pause.
    if answers.isAtEnd { forgetResolverChannel() }
    guard answers.isAny, resolverRetry.succeeded() > 0 else { return }
    logger.notice("names: the resolver works again")
  }

  func forgetResolverChannel() {
    if let resolverToken { poll.remove(resolverToken) }
    resolverToken = nil
  }

  /// Ends a resolver that has missed two questions: it is started again when it is reaped.
  func judgeResolver() {
    guard let resolver, resolver.process != nil else { return }
    readResolver()
    guard !watch.wasPaused, stopDeadline == nil, resolver.inquiry.judge() else { return }
    let end = resolver.kill().map { " and cannot be killed: \($0.withAdvice)" } ?? "; ended"
    logger.error("names: the resolver does not answer\(end)")
  }

  /// Ends the resolver when no service greets by name any more, and no listener that still has connections asks it.
  func endResolverIfUnused() {
    guard let resolver, stopDeadline == nil, !services.contains(where: \.configuration.settings.looksUpNames),
      !allServices.contains(where: { $0.generations.contains { $0.nameRequests != nil } })
    else { return }
    logger.info("names: no service asks for names any more; the resolver is ended")
    forgetResolverChannel()
    resolver.kill()
    if let process = resolver.process { formerResolvers.append(process) }
    starter.names = nil
    resolverRetry = Retry()
  }

  func resolverEnded(_ status: ExitStatus) {
    guard let resolver else { return }
    forgetResolverChannel()
    resolver.forget()
    guard stopDeadline == nil else { return }
    resolverFailed("the resolver ended: \(status)")
  }

  /// Hosts are looked up later; until then each new client waits half a second for its name.
  private func resolverFailed(_ failure: String) {
    let (delay, isNews) = resolverRetry.failed(failure)
    resolver?.restartTime = SystemClock.monotonic() + delay
    if isNews {
      logger.warning(
        "names: \(failure); started again in \(DurationText.render(.nanoseconds(delay))), greeting by address until then"
      )
    }
  }
}

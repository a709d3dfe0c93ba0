import NetworkServices
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// What stands below the name in a signature.
enum SignatureText {
  case fortunes(FortuneCollection)
  /// What a program prints, run anew for each.
  case command(Program, name: String, limit: Duration)

  /// fortune(6)'s own bound of a short one.
  static let longestFortune = 160

  /// A text that no other reader has had; nil where there is none, which is said.
  ///
  /// - Parameter most: how many bytes it may have.
  /// - Parameter cancellation: ends the command.
  func next(atMost most: Int, cancelledBy cancellation: Cancellation, complain: (String) -> Void) -> [UInt8]? {
    switch self {
    case .fortunes(let fortunes): return fortunes.randomText(atMost: min(most, Self.longestFortune))
    case .command(let program, let name, let limit):
      do throws(SystemCallError) {
        let capture = try program.capture(
          limit: most, until: Deadline(after: limit), cancelledBy: cancellation, gracePeriod: .seconds(2))
        switch capture.ending {
        case .complete where capture.status.isSuccess: return capture.output
        case .complete: complain("\(name): \(capture.status); its output is not served")
        case .outputLimit: complain("\(name): more than \(most) bytes, which do not fit; its output is not served")
        case .cancelled: break
        case .timedOut: complain("\(name): still running when its time was up, and ended; its output is not served")
        }
      } catch { complain("\(error)") }
      return nil
    }
  }
}

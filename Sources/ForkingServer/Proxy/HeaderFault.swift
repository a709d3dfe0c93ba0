import Admission
import ProxyProtocol
import Settings

/// The reason to close a proxy's connection before a client is known.
enum HeaderFault: CustomStringConvertible {
  /// It did not begin with a header that is accepted.
  case problem(ProxyProblem)
  case endOfStream
  /// The header was not complete after this time.
  case late(Duration)
  /// The listener stopped before the header was complete.
  case atStop
  /// A newer connection took its place.
  case crowded

  /// The reason by which it is counted.
  var refusal: Refusal {
    switch self {
    case .problem, .endOfStream: .invalidProxyHeader
    case .late, .atStop, .crowded: .lateProxyHeader
    }
  }

  /// The reason, for the log.
  var description: String {
    switch self {
    case .problem(.noHeader): "no PROXY header; let the proxy send one (HAProxy: send-proxy-v2), or change proxy-from"
    case .problem(let problem): problem.description
    case .endOfStream: "the stream ends within the PROXY header"
    case .late(let time): "no complete PROXY header within proxy-timeout (\(DurationText.render(time)))"
    case .atStop: "no complete PROXY header when the listener stopped"
    case .crowded: "more than \(Antechamber.capacity) connections without a complete PROXY header"
    }
  }
}

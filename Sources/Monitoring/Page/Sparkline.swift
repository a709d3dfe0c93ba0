/// A picture of a service's last quarter of an hour: a step for each 10 s, refused connections on top of accepted ones.
struct Sparkline {
  private static let height: UInt64 = 40
  private let accepted: [UInt32]
  private let refused: [UInt32]
  /// The most clients in 10 s.
  let peak: UInt64

  /// Nil if there was no client.
  init?(_ service: ServiceStatus) {
    let length = min(service.history.count, service.refusedHistory.count)
    accepted = Array(service.history.prefix(length))
    refused = Array(service.refusedHistory.prefix(length))
    peak = zip(accepted, refused).reduce(0) { max($0, UInt64($1.0) + UInt64($1.1)) }
    if peak == 0 { return nil }
  }

  /// Appends the picture, which is as wide as there is room.
  func append(to output: inout [UInt8]) {
    output.append("<svg viewBox=\"0 0 ")
    output.append(decimal: accepted.count)
    output.append(" 40\" preserveAspectRatio=\"none\" aria-hidden=\"true\">")
    if refused.contains(where: { $0 > 0 }) {
      appendSteps("r", to: &output) { UInt64(accepted[$0]) + UInt64(refused[$0]) }
    }
    appendSteps("a", to: &output) { UInt64(accepted[$0]) }
    output.append("</svg>")
  }

  /// Appends the area below the steps; equal neighbours are one step.
  private func appendSteps(_ name: StaticString, to output: inout [UInt8], _ value: (Int) -> UInt64) {
    output.append("<path class=\"")
    output.append(name)
    output.append("\" d=\"M0 40")
    var height: UInt64 = 0
    for place in accepted.indices {
      let next = scaled(value(place))
      guard next != height else { continue }
      if place > 0 {
        output.append("H")
        output.append(decimal: place)
      }
      output.append("V")
      output.append(decimal: Sparkline.height - next)
      height = next
    }
    output.append("H")
    output.append(decimal: accepted.count)
    output.append("V40Z\"/>")
  }

  /// One client is seen beside thousands.
  private func scaled(_ value: UInt64) -> UInt64 {
    value == 0 ? 0 : max(2, value * (Sparkline.height - 1) / peak)
  }
}

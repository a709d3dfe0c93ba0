import CCurl
@_spi(Begat) import UnixCore

/// A client of libcurl: it asks one question after another, over one connection where the server lets it.
final class CurlHandle {
  /// What the library says of a question or a setting that failed.
  struct Failure: Error, CustomStringConvertible {
    let code: CURLcode
    let description: String
  }

  private let handle: UnsafeMutableRawPointer
  private var headers: UnsafeMutablePointer<curl_slist>?
  /// Where the library writes what failed.
  private let message: UnsafeMutablePointer<CChar>

  init() throws {
    if let reason = ccurl_load() {
      throw Failure(
        code: CURLE_FAILED_INIT,
        description: "\(String(cString: reason)): install the package libcurl4 (libcurl4t64, libcurl)")
    }
    guard let handle = ccurl_easy_init() else { throw Failure(code: CURLE_FAILED_INIT, description: "libcurl") }
    self.handle = handle
    message = .allocate(capacity: Int(CURL_ERROR_SIZE))
    message.pointee = 0
    try set(CURLOPT_ERRORBUFFER, to: UnsafeMutableRawPointer(message))
    // Threads of lookups that were given up are not waited for.
    try set(CURLOPT_QUICK_EXIT, to: 1)
    try set(CURLOPT_NOSIGNAL, to: 1)
    try set(CURLOPT_NOPROGRESS, to: 0)
    try accept(ccurl_set_receiver(handle, CURLOPT_HEADERFUNCTION, takeHeadLine))
    try accept(ccurl_set_receiver(handle, CURLOPT_WRITEFUNCTION, takeBody))
    try accept(ccurl_set_progress(handle, takeProgress))
  }

  deinit {
    ccurl_easy_cleanup(handle)
    ccurl_slist_free_all(headers)
    message.deallocate()
  }

  func set(_ option: CURLoption, to value: Int) throws { try accept(ccurl_set_number(handle, option, value)) }

  /// In milliseconds; no less than one, as none means no limit.
  func set(_ option: CURLoption, to limit: Duration) throws {
    try set(option, to: Int(min(max(limit.nanoseconds / 1_000_000, 1), Int64(Int32.max))))
  }

  func set(_ option: CURLoption, to value: String) throws { try accept(ccurl_set_text(handle, option, value)) }

  /// Bytes other than NUL.
  func set(_ option: CURLoption, to value: [UInt8]) throws {
    try accept(
      (value.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
        ccurl_set_text(handle, option, $0.baseAddress)
      })
  }

  /// Takes a text back.
  func unset(_ option: CURLoption) throws { try accept(ccurl_set_text(handle, option, nil)) }

  private func set(_ option: CURLoption, to memory: UnsafeMutableRawPointer) throws {
    try accept(ccurl_set_pointer(handle, option, memory))
  }

  func set(headers lines: [String]) throws {
    for line in lines {
      guard let longer = ccurl_slist_append(headers, line) else { return try accept(CURLE_OUT_OF_MEMORY) }
      headers = longer
    }
    if let headers { try set(CURLOPT_HTTPHEADER, to: UnsafeMutableRawPointer(headers)) }
  }

  /// 0 where the library does not know.
  func number(_ info: CURLINFO) -> Int { ccurl_number(handle, info) }

  /// Asks, and gives what comes to the receiver.
  func perform(_ receiver: AnswerReceiver) throws(Failure) {
    message.pointee = 0
    let result = withExtendedLifetime(receiver) {
      let memory = Unmanaged.passUnretained(receiver).toOpaque()
      for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_XFERINFODATA] {
        _ = ccurl_set_pointer(handle, option, memory)
      }
      return ccurl_easy_perform(handle)
    }
    try accept(result)
  }

  private func accept(_ code: CURLcode) throws(Failure) {
    guard code != CURLE_OK else { return }
    let words = message.pointee == 0 ? ccurl_easy_strerror(code).map { String(cString: $0) } : String(cString: message)
    throw Failure(code: code, description: words ?? "libcurl's error \(code.rawValue)")
  }
}

private func receiver(_ memory: UnsafeMutableRawPointer?) -> AnswerReceiver? {
  memory.map { Unmanaged<AnswerReceiver>.fromOpaque($0).takeUnretainedValue() }
}

// The number of bytes that were taken; less ends the transfer, and an empty piece cannot be refused.

private let takeHeadLine: curl_write_callback = { bytes, size, count, memory in
  let isTaken = receiver(memory)?.take(headLine: UnsafeRawBufferPointer(start: bytes, count: size * count)) == true
  return isTaken ? size * count : 0
}

private let takeBody: curl_write_callback = { bytes, size, count, memory in
  let isTaken = receiver(memory)?.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) == true
  return isTaken ? size * count : 0
}

private let takeProgress: curl_xferinfo_callback = { memory, _, received, _, _ in
  receiver(memory)?.take(progress: Int(received)) == true ? 0 : 1
}

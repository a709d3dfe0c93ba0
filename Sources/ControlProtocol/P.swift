public let placeholderControlProtocol = 1

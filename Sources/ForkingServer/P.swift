public let placeholderForkingServer = 1

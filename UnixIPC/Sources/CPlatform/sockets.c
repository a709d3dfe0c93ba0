#define _GNU_SOURCE
#include "CPlatform.h"
#include <netinet/in.h>
#include <string.h>

int platform_peer_credentials(int fd, struct platform_credentials *credentials) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) return -1;
  credentials->pid = peer.pid;
  credentials->uid = peer.uid;
  credentials->gid = peer.gid;
  return 0;
}

int platform_ask_for_local_address(int fd, int family) {
  int yes = 1;
  if (family == AF_INET) return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
  if (family == AF_INET6) return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
  return 0;
}

static struct msghdr room_for(struct platform_datagram *datagram, struct iovec *part) {
  return (struct msghdr){
    .msg_name = &datagram->peer, .msg_namelen = sizeof datagram->peer,
    .msg_iov = part, .msg_iovlen = 1,
    .msg_control = datagram->control, .msg_controllen = sizeof datagram->control,
  };
}

// Keeps for the answer which address was asked.
static void note_addresses(struct platform_datagram *datagram, struct msghdr *message) {
  datagram->peer_length = message->msg_namelen;
  datagram->control_length = 0;
  datagram->to_many = false;
  // Only the address that was asked, not the route by which the question came.
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo information;
      memcpy(&information, CMSG_DATA(c), sizeof information);
      information.ipi_ifindex = 0;
      uint32_t destination = ntohl(information.ipi_addr.s_addr);
      // A machine has its own broadcast addresses from elsewhere too: those are not its source address.
      datagram->to_many = IN_MULTICAST(destination) || destination == INADDR_BROADCAST
        || (information.ipi_spec_dst.s_addr != INADDR_ANY && information.ipi_spec_dst.s_addr != information.ipi_addr.s_addr);
      // A broadcast or multicast destination is no source address: the kernel gives the local one beside it.
      // Not so for a datagram that came before IP_PKTINFO was asked for, as on a socket that was passed.
      if (information.ipi_spec_dst.s_addr == INADDR_ANY) information.ipi_spec_dst = information.ipi_addr;
      memcpy(CMSG_DATA(c), &information, sizeof information);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo information;
      memcpy(&information, CMSG_DATA(c), sizeof information);
      datagram->to_many = IN6_IS_ADDR_MULTICAST(&information.ipi6_addr);
    } else {
      continue;
    }
    memmove(datagram->control, c, c->cmsg_len);
    datagram->control_length = CMSG_SPACE(c->cmsg_len - CMSG_LEN(0));
    break;
  }
}

ssize_t platform_receive_datagram(int fd, void *buffer, size_t size, struct platform_datagram *datagram) {
  struct iovec part = {.iov_base = buffer, .iov_len = size};
  struct msghdr message = room_for(datagram, &part);
  ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
  if (length != -1) note_addresses(datagram, &message);
  return length;
}

int platform_receive_datagrams(int fd, struct iovec *parts, struct platform_datagram *datagrams, unsigned count) {
  struct mmsghdr messages[PLATFORM_MOST_DATAGRAMS];
  if (count > PLATFORM_MOST_DATAGRAMS) count = PLATFORM_MOST_DATAGRAMS;
  for (unsigned i = 0; i < count; i++) messages[i].msg_hdr = room_for(&datagrams[i], &parts[i]);
  int received = recvmmsg(fd, messages, count, MSG_DONTWAIT, NULL);
  for (int i = 0; i < received; i++) {
    note_addresses(&datagrams[i], &messages[i].msg_hdr);
    parts[i].iov_len = messages[i].msg_len;
  }
  return received;
}

static struct msghdr answer_to(struct platform_datagram *datagram, struct iovec *part) {
  return (struct msghdr){
    .msg_name = &datagram->peer, .msg_namelen = datagram->peer_length,
    .msg_iov = part, .msg_iovlen = 1,
    .msg_control = datagram->control_length > 0 ? datagram->control : NULL,
    .msg_controllen = datagram->control_length,
  };
}

ssize_t platform_send_datagram(int fd, const void *buffer, size_t size, struct platform_datagram *datagram) {
  struct iovec part = {.iov_base = (void *)buffer, .iov_len = size};
  struct msghdr message = answer_to(datagram, &part);
  return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int platform_send_datagrams(
  int fd, struct iovec *parts, struct platform_datagram *datagrams, const unsigned char *answered, unsigned count) {
  struct mmsghdr messages[PLATFORM_MOST_DATAGRAMS];
  if (count > PLATFORM_MOST_DATAGRAMS) count = PLATFORM_MOST_DATAGRAMS;
  for (unsigned i = 0; i < count; i++) {
    messages[i].msg_hdr = datagrams == NULL
      ? (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1} : answer_to(&datagrams[answered[i]], &parts[i]);
  }
  return sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

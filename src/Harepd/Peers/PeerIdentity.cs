using Harepd.Core.Model;

namespace Harepd.Peers;

/// <summary>Who speaks for this process: the membership it was configured with, its member and this run's incarnation. Sent with every request (R10).</summary>
internal sealed record PeerIdentity(Membership Membership, MemberId Self, Incarnation Incarnation);

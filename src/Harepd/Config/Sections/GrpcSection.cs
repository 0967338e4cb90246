using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Harepd.Config.Sections;

/// <summary>Reads <c>gRPC</c> and <c>membership</c>, and checks that the voting set names every member once.</summary>
internal static class GrpcSection
{
    private static readonly PeerAddress Nobody = new("0.0.0.0", 1);

    public static GrpcConfig Read(Section section, ConfigEnvironment environment)
    {
        var bind = section.Required("bindAddress", AddressValues.Ip(allowAny: true), IPAddress.None, "\"10.0.0.5\"");
        var port = section.Value("bindPort", Values.Port(), 10000);
        var config = new GrpcConfig
        {
            BindAddress = bind,
            BindPort = port,
            Advertise = Advertise(section, bind, port),
            Neighbours = [.. Distinct(section, section.List("neighbours", AddressValues.Peer)).Select(item => item.Value)],
            Witness = section.Value<PeerAddress?>("witness", OptionalPeer, null),
            ConnectionDeadline = section.Value("connectionDeadline", Values.Seconds(1, 3600), TimeSpan.FromSeconds(5)),
            ServerHostOverride = section.Value("serverHostOverride", Values.Optional(Values.Name), null),
            Tls = TlsSection.Read(section, environment),
        };
        CheckMembers(section, config);
        section.Close();
        return config;
    }

    public static MembershipConfig ReadMembership(Section section)
    {
        var epoch = section.Value("epoch", Values.Whole(1, int.MaxValue), 1);
        var previous = Distinct(section, section.List("previous", AddressValues.Peer));
        if (epoch == 1 && previous.Length > 0)
        {
            section.Error("previous", null, "given in epoch 1, which has no set before it", "epoch: 2 when members change, or previous: []");
        }

        if (epoch > 1 && previous.Length == 0)
        {
            var mend = "add   previous: [...]   with all members of the epoch before, this node included";
            section.Error("epoch", epoch.ToString(CultureInfo.InvariantCulture), "without the set before it", mend);
        }

        section.Close();
        return new MembershipConfig(epoch, [.. previous.Select(item => item.Value)]);
    }

    private static PeerAddress Advertise(Section section, IPAddress bind, int port)
    {
        var given = section.Value<PeerAddress?>("advertise", OptionalPeer, null);
        if (given is { } peer)
        {
            return peer;
        }

        if (!section.Has("advertise") && (bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any)))
        {
            var mend = $"add   advertise: \"10.0.0.5:{port}\"   with this node's own address";
            section.Error("bindAddress", bind.ToString(), "the wildcard is no name for a member", mend);
        }

        return bind.Equals(IPAddress.None) ? Nobody : new PeerAddress(bind.ToString(), port);
    }

    private static Parsed<PeerAddress?> OptionalPeer(string text)
    {
        if (text.Length == 0)
        {
            return Parsed<PeerAddress?>.Good(null);
        }

        var peer = AddressValues.Peer(text);
        return peer.Problem is null ? Parsed<PeerAddress?>.Good(peer.Value) : Parsed<PeerAddress?>.Bad(peer.Problem, peer.Mend!);
    }

    private static ImmutableArray<Item<PeerAddress>> Distinct(Section section, ImmutableArray<Item<PeerAddress>> items)
    {
        var seen = new HashSet<PeerAddress>();
        foreach (var item in items.Where(item => !seen.Add(item.Value)))
        {
            section.Error(item, "the same member twice", "keep it once");
        }

        return items;
    }

    private static void CheckMembers(Section section, GrpcConfig config)
    {
        PeerAddress[] own = [config.Advertise, new PeerAddress(config.BindAddress.ToString(), config.BindPort)];
        if (config.Neighbours.Any(own.Contains))
        {
            // A node that asks itself always agrees with itself.
            section.Error("neighbours", config.Neighbours.First(own.Contains).ToString(), "this node's own address", "list only the other nodes");
        }

        if (config.Witness is not { } witness)
        {
            return;
        }

        if (own.Contains(witness))
        {
            var mend = "on the witness itself leave witness out, and list the data nodes under neighbours";
            section.Error("witness", witness.ToString(), "this node's own address", mend);
        }
        else if (config.Neighbours.Contains(witness))
        {
            section.Error("witness", witness.ToString(), "also listed under neighbours", "list it in one of the two places: the witness has one vote");
        }
    }
}

namespace Harepd.Haproxy;

/// <summary>
/// One HAProxy as the configuration names it: its runtime socket, its master socket, or both, parted by a comma
/// (<c>unix:/run/haproxy/admin.sock,master:/run/haproxy-master.sock</c>). With the master socket alone, commands reach the
/// current worker through it (HAProxy management guide, 9.4). Sessions of old workers can be ended only through the master socket.
/// A third part, <c>hold:unix:/path</c> or <c>hold:tcp:host:port</c>, is where the hold server's keeper connects.
/// </summary>
internal sealed record HaproxyEndpoint
{
    private const string MasterPrefix = "master:";
    private const string HoldPrefix = "hold:";

    private HaproxyEndpoint(string name, RuntimeAddress? runtime, RuntimeAddress? master, RuntimeAddress? hold)
    {
        Name = name;
        Runtime = runtime;
        Master = master;
        Hold = hold;
    }

    /// <summary>The configuration's own text, used in logs and events.</summary>
    public string Name { get; }

    /// <summary>The socket of a <c>stats socket … level admin</c> line; null when only the master socket is known.</summary>
    public RuntimeAddress? Runtime { get; }

    /// <summary>The socket of <c>haproxy -W -S</c>; null when none is configured.</summary>
    public RuntimeAddress? Master { get; }

    /// <summary>Where the keeper of the hold server connects; null when planned moves cut instead.</summary>
    public RuntimeAddress? Hold { get; }

    public override string ToString() => Name;

    /// <summary>Reads the configuration's text; false leaves a reason for the operator. Pure.</summary>
    internal static bool TryParse(string text, out HaproxyEndpoint? endpoint, out string reason)
    {
        endpoint = null;
        RuntimeAddress?[] slots = [null, null, null];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var (slot, prefix, kind) = part.StartsWith(MasterPrefix, StringComparison.Ordinal) ? (1, MasterPrefix, "master sockets")
                : part.StartsWith(HoldPrefix, StringComparison.Ordinal) ? (2, HoldPrefix, "holds")
                : (0, "", "runtime sockets");
            if (!RuntimeAddress.TryParse(part[prefix.Length..], out var address, out reason))
            {
                return false;
            }

            if (slots[slot] is not null)
            {
                reason = $"'{text}' names two {kind}: each HAProxy is an entry of its own";
                return false;
            }

            slots[slot] = address;
        }

        if (slots is [null, null, _])
        {
            reason = $"'{text}' names no socket for commands: a hold needs one beside it";
            return false;
        }

        endpoint = new HaproxyEndpoint(text.Trim(), slots[0], slots[1], slots[2]);
        reason = "";
        return true;
    }
}

namespace Harepd.Haproxy;

/// <summary>
/// One HAProxy as the configuration names it: its runtime socket, its master socket, or both, parted by a comma
/// (<c>unix:/run/haproxy/admin.sock,master:/run/haproxy-master.sock</c>). With the master socket alone, commands reach the
/// current worker through it (HAProxy management guide, 9.4). Sessions of old workers can be ended only through the master socket.
/// </summary>
internal sealed record HaproxyEndpoint
{
    private const string MasterPrefix = "master:";

    private HaproxyEndpoint(string name, RuntimeAddress? runtime, RuntimeAddress? master)
    {
        Name = name;
        Runtime = runtime;
        Master = master;
    }

    /// <summary>The configuration's own text, used in logs and events.</summary>
    public string Name { get; }

    /// <summary>The socket of a <c>stats socket … level admin</c> line; null when only the master socket is known.</summary>
    public RuntimeAddress? Runtime { get; }

    /// <summary>The socket of <c>haproxy -W -S</c>; null when none is configured.</summary>
    public RuntimeAddress? Master { get; }

    public override string ToString() => Name;

    /// <summary>Reads the configuration's text; false leaves a reason for the operator. Pure.</summary>
    internal static bool TryParse(string text, out HaproxyEndpoint? endpoint, out string reason)
    {
        endpoint = null;
        RuntimeAddress? runtime = null;
        RuntimeAddress? master = null;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var isMaster = part.StartsWith(MasterPrefix, StringComparison.Ordinal);
            if (!RuntimeAddress.TryParse(isMaster ? part[MasterPrefix.Length..] : part, out var address, out reason))
            {
                return false;
            }

            ref var slot = ref isMaster ? ref master : ref runtime;
            if (slot is not null)
            {
                reason = $"'{text}' names two {(isMaster ? "master" : "runtime")} sockets: each HAProxy is an entry of its own";
                return false;
            }

            slot = address;
        }

        endpoint = new HaproxyEndpoint(text.Trim(), runtime, master);
        reason = "";
        return true;
    }
}

using Harepd.Haproxy;

namespace Harepd.Config.Sections;

/// <summary>Reads <c>haproxy</c> and <c>authModes</c>.</summary>
internal static class HaproxySection
{
    public static HaproxyConfig Read(Section section, string nodeName, bool isDataNode)
    {
        var server = section.List("server", AddressValues.Network);
        var endpoints = section.List("endpoints", AddressValues.Endpoint);
        section.ReportTwice(server, item => item);
        section.ReportTwice(endpoints, item => item);
        var config = new HaproxyConfig
        {
            Server = [.. server.Select(item => item.Value)],
            Users = ReadUsers(section.Child("users"), isDataNode),
            Endpoints = [.. endpoints.Select(item => item.Value)],
            WriteBackend = section.Value("writeBackend", HaproxyName, "pg_write"),
            ReadBackend = section.Value("readBackend", Values.Optional(HaproxyName), null),
            ServerName = section.Value("serverName", Values.Optional(HaproxyName), null) ?? nodeName,
            Timeout = section.Value("timeout", Values.Duration(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)), TimeSpan.FromMilliseconds(500)),
            Reconcile = section.Value("reconcile", Values.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)), TimeSpan.FromSeconds(1)),
        };
        if (config.WriteBackend == config.ReadBackend)
        {
            section.Error("readBackend", config.ReadBackend, "the same as writeBackend", "two backends, or readBackend: \"\"");
        }

        section.Close();
        return config;
    }

    public static AuthModesConfig ReadAuthModes(Section section)
    {
        var config = new AuthModesConfig(section.Value("allow", Values.AllowMethod, "md5"), section.Value("deny", Values.DenyMethod, "reject"));
        section.Close();
        return config;
    }

    private static HaproxyUsersConfig ReadUsers(Section section, bool isDataNode)
    {
        var readOnly = section.Value("readOnly", Values.Optional(Values.Identifier), null);
        var readWrite = isDataNode
            ? section.Required("readWrite", Values.Identifier, "", "\"harw\"")
            : section.Value("readWrite", Values.Optional(Values.Identifier), null);
        if (readOnly is not null && readOnly == readWrite)
        {
            section.Error("readOnly", readOnly, "the same user as readWrite: allowing reads would allow writes", "two different users");
        }

        section.Close();
        return new HaproxyUsersConfig(readOnly, readWrite);
    }

    private static Parsed<string> HaproxyName(string text) =>
        HaproxyTarget.IsName(text) && text != HaproxyTarget.HoldServer
            ? Parsed<string>.Good(text)
            : Parsed<string>.Bad("not a name for this in HAProxy", $"a-z, A-Z, 0-9, dash, underscore, dot and colon; not {HaproxyTarget.HoldServer}");
}

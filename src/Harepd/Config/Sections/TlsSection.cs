namespace Harepd.Config.Sections;

/// <summary>Reads <c>gRPC.tls</c>, and answers the mis-indented form that the Go daemon's sample shows.</summary>
internal static class TlsSection
{
    private static readonly string[] Keys = ["enabled", "ca", "cert", "key"];

    public static TlsConfig Read(Section grpc, ConfigEnvironment environment)
    {
        if (!grpc.Has("tls") && Keys.Any(grpc.Has))
        {
            return Misindented(grpc);
        }

        var section = grpc.Child("tls");
        var enabled = section.Value("enabled", Values.Bool, false);
        var config = new TlsConfig(
            enabled,
            Path(section, "ca", enabled, environment),
            Path(section, "cert", enabled, environment),
            Path(section, "key", enabled, environment),
            section.Value("clientAuth", Values.OneOf(("none", ClientAuth.None), ("require", ClientAuth.Require)), ClientAuth.None));
        if (config.ClientAuth == ClientAuth.Require && !enabled)
        {
            section.Error("clientAuth", "require", "while TLS is off nobody shows a certificate", "enabled: true, or clientAuth: none");
        }

        section.Close();
        return config;
    }

    private static TlsConfig Misindented(Section grpc)
    {
        var lines = Keys.Where(grpc.Has).Select(key => $"      {key}: {Written(grpc, key)}");
        grpc.Error("tls", null, "its keys stand beside it instead of below it", $"indent them by two more spaces:\n    tls:\n{string.Join('\n', lines)}");
        grpc.Ignore(["tls", .. Keys, "clientAuth"]);
        return new TlsConfig(false, null, null, null, ClientAuth.None);
    }

    private static string Written(Section grpc, string key)
    {
        var text = grpc.Value(key, Parsed<string>.Good, "");
        return key == "enabled" ? text : $"\"{text}\"";
    }

    // While TLS is off the paths may name files that do not exist yet.
    private static string? Path(Section section, string key, bool enabled, ConfigEnvironment environment)
    {
        if (!enabled)
        {
            return section.Value(key, Values.Optional(Values.AbsolutePath), null);
        }

        var path = section.Required(key, Values.AbsolutePath, "", $"\"/etc/harepd/{key}.pem\"");
        if (path.Length > 0 && !environment.FileExists(path))
        {
            section.Error(key, path, "there is no such file, or no right to see it", "create it, or write the right path");
        }

        return path;
    }
}

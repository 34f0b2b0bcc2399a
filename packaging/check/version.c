/*
 * Loads the plugin that was just built and compares the interface version that it reports with the header on the
 * include path. It catches a plugin from the build cache that another header had been compiled into: Go's
 * cache does not see headers outside of a package.
 *
 * Returns 0 when they are equal, 1 when they are not or the plugin does not load.
 */
#include <HalonMTA.h>
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char *argv[])
{
    void *plugin = argc == 2 ? dlopen(argv[1], RTLD_LAZY) : NULL;
    if (plugin == NULL) {
        fprintf(stderr, "checkversion: %s\n", argc == 2 ? dlerror() : "usage: checkversion PLUGIN");
        return 1;
    }
    int (*version)(void) = (int (*)(void))dlsym(plugin, "Halon_version");
    if (version == NULL) {
        fprintf(stderr, "checkversion: %s has no Halon_version\n", argv[1]);
        return 1;
    }
    if (version() != HALONMTA_PLUGIN_VERSION) {
        fprintf(stderr, "checkversion: %s was built on interface version %d, the header is version %d\n", argv[1],
                version(), (int)HALONMTA_PLUGIN_VERSION);
        return 1;
    }
    return 0;
}

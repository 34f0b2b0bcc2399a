/*
 * The calm modes: threads that call and look only at how long a call held them, whatever its answer is.
 */
#ifndef DRIVER_CALM_H
#define DRIVER_CALM_H

#include "settings.h"

/*
 * calm_run - calls from all threads for the settings' time and prints what they saw, as fields of a JSON object.
 *
 * It takes function, shape, threads and pace from `load`, which need not have begun. No message is tried again. With
 * `stop`, the plugin is stopped in the middle of the time, while the threads go on to call, until a moment after it is
 * over; only then, and after the stop began, may a call throw.
 */
void calm_run(const struct settings *settings, const struct load *load, struct plugin *stop);

/*
 * reload_run - calm_run while the plugin loads `app`, with another client.id each time, as often as the settings say. Prints how long the longest of
 * these took, stops the plugin, and prints how many records the broker has.
 */
void reload_run(struct settings *settings, const struct load *load, struct plugin *plugin, HalonConfig *app, int control);

/*
 * park_run - fills the queue, parks the settings' number of scripts with block=true from all threads, has the broker acknowledge,
 * and waits until all were woken. Prints the calls, and how often the scripts were woken. The broker must hang.
 */
void park_run(const struct settings *settings, const struct load *load, int control);

#endif

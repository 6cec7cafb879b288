<?php
require '/usr/share/php/GuzzleHttp/autoload.php';

spl_autoload_register(function (string $class): void {
    $file = __DIR__ . '/generated/lib/' . strtr(substr($class, strlen('Parley\\')), '\\', '/') . '.php';
    if (str_starts_with($class, 'Parley\\') && is_file($file)) {
        require $file;
    }
});

$config = (new Parley\Configuration())
    ->setHost(getenv('PARLEY_URL'))
    ->setAccessToken(getenv('PARLEY_TOKEN'));
$http = new GuzzleHttp\Client();
$eventTypes = new Parley\Api\EventTypesApi($http, $config);
$events = new Parley\Api\EventsApi($http, $config);

$type = $eventTypes->listEventTypes(true)->getData()[0];
$days = $eventTypes->getEventTypeAvailability($type->getUuid())->getData();
$start = $days[0]->getSlots()[0]->getStartTime();

$wanted = (new Parley\Model\NewEventRequest())
    ->setEventTypeId($type->getId())
    ->setAttendeeEmail('john@example.com')
    ->setAttendeeName('John Doe')
    ->setStartTime($start)
    ->setCustomFieldValues(['company' => 'ACME Corp']);
$booked = $events->createEvent($wanted, 'php')->getData();
$event = $events->getEvent($booked->getUuid())->getData();

try {
    $events->getEvent('evt_00000000000000000000');
} catch (Parley\ApiException $error) {
    $missing = $error->getResponseObject()->getError();
}
echo json_encode([
    $event->getUuid(),
    $event->getStatus(),
    $event->getStartTime()->format('Y-m-d\TH:i:s\Z'),
    $missing,
]);
